import { Kamailio } from '../balancers/kamailio.ts'
import { Siplb } from '../balancers/siplb.ts'
import { share, spans } from '../engine/figures.ts'
import type { World } from '../engine/world.ts'
import type { Chart } from '../picture/chart.ts'
import type { Row, Scenario } from '../scenario.ts'
import { equals, play, type Make, type Setting } from './setting.ts'
import { seconds } from './words.ts'

const SILENT = 'px4'
/** Between two probes. */
const FALLS_SILENT = 60_300
const END = 120_000

export const silent: Scenario = {
  name: 'silent',
  shows:
    'A proxy that no longer answers anything gets no new request after two seconds, and what it caught is answered elsewhere.',
  run(seed) {
    const setting: Setting = { seed, speeds: equals(4), load: 0.5 }
    const ours = silenced(setting, (world) => new Siplb(world))
    const peer = silenced(setting, (world) => new Kamailio(world, { algorithm: 4 }))
    const rows = [
      ...rowsOf('one ingress', ours, peer),
      ...rowsOf(
        'four ingresses',
        silenced({ ...setting, ingresses: 4 }, (world) => new Siplb(world)),
      ),
      ...rowsOf(
        '3 calls a second',
        silenced({ ...setting, load: 0.02 }, (world) => new Siplb(world)),
      ),
    ]
    return { rows, charts: { silent: chart(ours, peer) } }
  },
}

function silenced(setting: Setting, make: Make): World {
  const event = {
    at: FALLS_SILENT,
    happen: (world: World) => void (world.proxy(SILENT).behaviour = { kind: 'silent' }),
  }
  return play(setting, make, { end: END, event }).world
}

function rowsOf(where: string, ours: World, peer?: World): Row[] {
  const last = lastNew(ours)
  const slowest = slowestOf(ours)
  const isAllAnswered = ours.failed === 0
  return [
    {
      what: `silent UDP proxy, ${where}: the last new request that is sent there`,
      peers: peer === undefined ? {} : { 'Kamailio 4, pings': seconds(lastNew(peer)) },
      ours: last < 0 ? 'none' : seconds(last),
      promise: '≤ 2 s',
      held: last <= 2000,
    },
    {
      what: `the same, ${where}: slowest answer to a new request`,
      peers: peer === undefined ? {} : { 'Kamailio 4, pings': seconds(slowestOf(peer)) },
      ours: `${seconds(slowest)}${isAllAnswered ? '' : `, ${ours.failed} never`}`,
      promise: '≤ 1 s',
      held: isAllAnswered && slowest <= 1000,
    },
  ]
}

function lastNew({ chosen }: World): number {
  return (chosen.findLast(({ proxy }) => proxy === SILENT)?.at ?? 0) - FALLS_SILENT
}

/** From those that it just had; what arrived so late that it is not answered yet does not count against a peer. */
function slowestOf({ samples }: World): number {
  const near = samples.filter(({ at, method }) => method === 'INVITE' && at > FALLS_SILENT - 1000)
  return near.reduce((most, { ms }) => Math.max(most, ms), 0)
}

function chart(ours: World, peer: World): Chart {
  const points = (world: World) =>
    spans({ from: FALLS_SILENT - 10_000, to: FALLS_SILENT + 40_000 }, 1000).map((span) => ({
      x: (span.from - FALLS_SILENT) / 1000,
      y: 100 * share(world, SILENT, span),
    }))
  return {
    ...{ kind: 'lines', title: 'One of four falls silent: its share of the new requests' },
    x: { label: 'seconds', from: -10, to: 40 },
    y: { label: '% of new requests', from: 0, to: 50 },
    mark: { at: 0, label: 'px4 falls silent' },
    lines: [
      { label: 'siplb', isStepped: true, points: points(ours) },
      { label: 'Kamailio 4, pings', isStepped: true, isAside: true, points: points(peer) },
    ],
  }
}
