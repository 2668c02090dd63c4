import { Oracle } from '../balancers/peers.ts'
import { Siplb } from '../balancers/siplb.ts'
import { mean, quantile, responseTimes, share, spans, type Span } from '../engine/figures.ts'
import type { World } from '../engine/world.ts'
import type { Chart, Point } from '../picture/chart.ts'
import type { Row, Scenario } from '../scenario.ts'
import { PEERS } from './balancers.ts'
import { equals, play, UNIT_MS, type Make, type Setting } from './setting.ts'
import { percent, units } from './words.ts'

const SLOW = 'px4'
const SLOWS = 60_000
const LOAD = 0.6
/** From five seconds after it became slow, a minute long. */
const AFTER: Span = { from: 65_000, to: 120_000 }
/** Long enough that what was sent in that minute is answered, or is not. */
const END = 160_000
const MOST = 1.5
const SETTLED = 0.05

interface Played {
  readonly name: string
  readonly world: World
}

export const oneSlow: Scenario = {
  name: 'one-slow',
  shows:
    'One of four proxies becomes ten times slower: it loses its new requests, and the others carry on as if they were three.',
  run(seed) {
    const setting: Setting = { seed, speeds: equals(4), load: LOAD }
    const bound = play({ seed, speeds: equals(3), load: (LOAD * 4) / 3 }, (world) => new Oracle(world), { end: END })
    const parts: Point[] = []
    const ours = play(setting, (world) => watched(new Siplb(world), world, parts), { end: END, event: slows })
    const peers = PEERS.map((make) => slowed(setting, make))
    const rows = [p99Row(ours.world, bound.world, peers), partRow(parts), shareRow(ours.world, peers)]
    const charts = { 'one-slow-weight': partChart(parts), 'one-slow-p99': p99Chart(ours.world, peers) }
    return { rows, charts }
  },
}

const slows = { at: SLOWS, happen: (world: World) => void (world.proxy(SLOW).speed = 0.1) }

function slowed(setting: Setting, make: Make): Played {
  const { world, balancer } = play(setting, make, { end: END, event: slows })
  return { name: balancer.name, world }
}

/** Notes the slow one's part of the pool's weight, every 250 ms. */
function watched(siplb: Siplb, world: World, parts: Point[]): Siplb {
  world.sim.every(250, () => {
    const weights = world.proxies.map(({ id }) => siplb.weightOf(id))
    parts.push({ x: world.sim.now, y: siplb.weightOf(SLOW) / weights.reduce((sum, weight) => sum + weight, 0) })
  })
  return siplb
}

function p99Row(ours: World, bound: World, peers: readonly Played[]): Row {
  const p99 = (world: World) => quantile(responseTimes(world, AFTER, 'INVITE'), 0.99)
  const ratio = p99(ours) / p99(bound)
  return {
    what: 'one of four 10 times slower, load 0.6: p99 of new requests 5 to 60 s after, in units',
    peers: {
      ...Object.fromEntries(peers.map(({ name, world }) => [name, units(p99(world), UNIT_MS)])),
      'three proxies, capacities known': units(p99(bound), UNIT_MS),
    },
    ours: `${units(p99(ours), UNIT_MS)} (${ratio.toFixed(2)} ×)`,
    promise: `≤ ${MOST} × the three-proxy optimum`,
    held: ratio <= MOST,
  }
}

function partRow(parts: readonly Point[]): Row {
  const after = parts.filter(({ x }) => x >= AFTER.from && x < AFTER.to).map(({ y }) => y)
  const settled = quantile(after, 0.5)
  const time = mean(after.map((part) => (Math.abs(part - settled) <= SETTLED ? 1 : 0)))
  return {
    what: "the same: time that its part of the pool's weight is within ± 5 points of where it settles",
    peers: {},
    ours: `${percent(time, 0)} (settles at ${percent(settled)}, at most ${percent(Math.max(...after))})`,
    promise: '≥ 95 %',
    held: time >= 0.95,
  }
}

function shareRow(ours: World, peers: readonly Played[]): Row {
  const greatest = (world: World) => Math.max(...spans(AFTER, 5000).map((span) => share(world, SLOW, span)))
  return {
    what: 'the same: most of the new requests that it gets in any 5 s',
    peers: Object.fromEntries(peers.map(({ name, world }) => [name, percent(greatest(world))])),
    ours: percent(greatest(ours)),
  }
}

const time = { label: 'seconds', from: -20, to: 60 } as const
const mark = { at: 0, label: 'px4 becomes 10 times slower' } as const

function partChart(parts: readonly Point[]): Chart {
  const points = parts
    .map(({ x, y }) => ({ x: (x - SLOWS) / 1000, y: 100 * y }))
    .filter(({ x }) => x >= time.from && x <= time.to)
  return {
    ...{ kind: 'lines', title: 'One of four becomes slow: its part of the weight', x: time, mark },
    y: { label: '% of the weight of the pool', from: 0, to: 30 },
    lines: [{ label: 'siplb', isStepped: true, points }],
  }
}

function p99Chart(ours: World, peers: readonly Played[]): Chart {
  const points = (world: World) =>
    spans({ from: SLOWS - 20_000, to: SLOWS + 60_000 }, 4000).map((span) => ({
      x: (span.to - SLOWS) / 1000,
      y: quantile(responseTimes(world, span, 'INVITE'), 0.99) / UNIT_MS,
    }))
  return {
    ...{ kind: 'lines', title: 'One of four becomes slow: p99 of new requests', x: time, mark },
    y: { label: 'p99 of 4 s, units of work', from: 3, to: 5000, scale: 'log' },
    lines: [
      { label: 'siplb', points: points(ours) },
      ...peers.map(({ name, world }) => ({ label: name, isAside: true, points: points(world) })),
    ],
  }
}
