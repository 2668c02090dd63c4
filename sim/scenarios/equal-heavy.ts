import { LeastCalls, Oracle, RoundRobin } from '../balancers/peers.ts'
import { Kamailio } from '../balancers/kamailio.ts'
import { Siplb } from '../balancers/siplb.ts'
import { quantile, responseTimes } from '../engine/figures.ts'
import type { Chart } from '../picture/chart.ts'
import type { Row, Scenario } from '../scenario.ts'
import { equals, play, UNIT_MS, type Make, type Setting } from './setting.ts'
import { units } from './words.ts'

const FROM = 60_000
const TO = 300_000
/** What a promise goes by is measured for longer: the 99th percentile of four minutes still depends on chance. */
const LONGER = 480_000

export const equalHeavy: Scenario = {
  name: 'equal-heavy',
  shows: 'Eight equal proxies at 90 % load: by work, queues stay a third as long as by turns.',
  run(seed) {
    const setting: Setting = { seed, speeds: equals(8), load: 0.9 }
    const turns = timed(setting, (world) => new RoundRobin(world), LONGER)
    const bound = timed(setting, (world) => new Oracle(world), LONGER)
    const peers = [turns, timed(setting, (world) => new LeastCalls(world)), timed(setting, kamailio), bound]
    const one = timed(setting, (world) => new Siplb(world), LONGER)
    const four = timed({ ...setting, ingresses: 4 }, (world) => new Siplb(world, { locations: 3 }), LONGER)
    const others = POLICIES.map((policy) =>
      timed(setting, (world) => new Siplb(world, { pool: { policy }, name: policy })),
    )
    const rows = [
      row('one ingress', one, { peers, turns, most: 0.4 }),
      row('four ingresses, three locations', four, { peers: [], turns, most: 0.5 }),
      ...others.map(({ name, ms }) => ({
        what: `the same, one ingress, policy ${name}`,
        peers: { [turns.name]: units(quantile(turns.ms, 0.99), UNIT_MS) },
        ours: units(quantile(ms, 0.99), UNIT_MS),
      })),
    ]
    return { rows, charts: { 'equal-heavy': chart([{ ...one, name: 'least-work' }, ...others, ...peers]) } }
  },
}

const POLICIES = ['two-choices', 'smooth-round-robin', 'weighted-random'] as const
const kamailio: Make = (world) => new Kamailio(world, { algorithm: 11, congestionControl: true })

interface Timed {
  readonly name: string
  readonly ms: readonly number[]
}

function timed(setting: Setting, make: Make, to = TO): Timed {
  const { world, balancer } = play(setting, make, { end: to })
  return { name: balancer.name, ms: responseTimes(world, { from: FROM, to }) }
}

function row(
  where: string,
  { ms }: Timed,
  { peers, turns, most }: { peers: Timed[]; turns: Timed; most: number },
): Row {
  const p99 = quantile(ms, 0.99)
  const ratio = p99 / quantile(turns.ms, 0.99)
  return {
    what: `eight equals at load 0.9, ${where}: p99 of all requests, in units`,
    peers: Object.fromEntries(peers.map((peer) => [peer.name, units(quantile(peer.ms, 0.99), UNIT_MS)])),
    ours: `${units(p99, UNIT_MS)} (${ratio.toFixed(2)} × round robin's)`,
    promise: `≤ ${most} × round robin's`,
    held: ratio <= most,
  }
}

/** Each nine of the quantile is as wide as the one before. */
function chart(all: readonly Timed[]): Chart {
  const nines = Array.from({ length: 30 }, (_, i) => (i + 1) / 10)
  const ticks = [50, 90, 99, 99.9].map((p) => ({ at: -Math.log10(1 - p / 100), label: `p${p}` }))
  return {
    ...{ kind: 'lines', title: 'Eight equal proxies at 90 % load: response times' },
    x: { label: 'quantile of all requests', from: 0.1, to: 3, ticks },
    y: { label: 'response time, units of work', from: 0.3, to: 3000, scale: 'log' },
    lines: all.map(({ name, ms }, i) => ({
      label: name,
      isAside: i > 0,
      points: nines.map((x) => ({ x, y: quantile(ms, 1 - 10 ** -x) / UNIT_MS })),
    })),
  }
}
