import { Siplb } from '../balancers/siplb.ts'
import { share, spans } from '../engine/figures.ts'
import type { Behaviour } from '../engine/proxy-model.ts'
import type { World } from '../engine/world.ts'
import type { Chart } from '../picture/chart.ts'
import type { Row, Scenario } from '../scenario.ts'
import { PEERS } from './balancers.ts'
import { equals, play, type Make, type Setting } from './setting.ts'
import { percent } from './words.ts'

const FAILING = 'px4'
const FAILS = 60_000
const END = 120_000
const AFTER = { from: FAILS + 2000, to: END }
const MOST = 0.05

/** Its OPTIONS are answered well: nobody learns of it by pings. */
const fails503: Behaviour = { kind: 'refuse', status: 503, afterMs: 1, method: 'INVITE' }

export const failingFast: Scenario = {
  name: 'failing-fast',
  shows:
    'A proxy that answers 503 to every INVITE after 1 ms looks fastest, and loses its new requests within two seconds.',
  run(seed) {
    const setting: Setting = { seed, speeds: equals(4), load: 0.6 }
    const ours = failing(setting, (world) => new Siplb(world))
    const four = failing({ ...setting, ingresses: 4 }, (world) => new Siplb(world))
    const peers = PEERS.map((make) => failing(setting, make))
    const rows = [row('one ingress', ours, peers), row('four ingresses', four, [])]
    return { rows, charts: { 'failing-fast': chart(ours, peers) } }
  },
}

interface Played {
  readonly name: string
  readonly world: World
}

function failing(setting: Setting, make: Make): Played {
  const event = { at: FAILS, happen: (world: World) => void (world.proxy(FAILING).behaviour = fails503) }
  const { world, balancer } = play(setting, make, { end: END, event })
  return { name: balancer.name, world }
}

function row(where: string, ours: Played, peers: readonly Played[]): Row {
  const its = share(ours.world, FAILING, AFTER)
  return {
    what: `503 in 1 ms, ${where}: its share of new requests from 2 s on`,
    peers: Object.fromEntries(peers.map(({ name, world }) => [name, percent(share(world, FAILING, AFTER))])),
    ours: percent(its),
    promise: '< 5 %',
    held: its < MOST,
  }
}

function chart(ours: Played, peers: readonly Played[]): Chart {
  const line = ({ name, world }: Played, isAside: boolean) => ({
    label: name,
    isAside,
    isStepped: true,
    points: spans({ from: FAILS - 10_000, to: FAILS + 30_000 }, 1000).map((span) => ({
      x: (span.from - FAILS) / 1000,
      y: 100 * share(world, FAILING, span),
    })),
  })
  return {
    ...{ kind: 'lines', title: 'One of four answers 503 at once: its share of the new requests' },
    x: { label: 'seconds', from: -10, to: 30 },
    y: { label: '% of new requests', from: 0, to: 100 },
    mark: { at: 0, label: 'px4 begins to answer 503' },
    lines: [line(ours, false), ...peers.map((peer) => line(peer, true))],
  }
}
