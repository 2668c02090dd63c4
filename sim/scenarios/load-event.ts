import { Siplb } from '../balancers/siplb.ts'
import { quantile } from '../engine/figures.ts'
import type { World } from '../engine/world.ts'
import type { Chart, Point } from '../picture/chart.ts'
import type { Scenario } from '../scenario.ts'
import { equals, worldOf } from './setting.ts'

const TOLD = 'px4'
const EVENTS = 200
const MOST_MS = 300
const [HIGH, LOW] = [0.95, 0.1]
/** For the picture: the first half minute. */
const SHOWN_MS = 30_000

export const loadEvent: Scenario = {
  name: 'load-event',
  shows: 'What a proxy says of its load decides over the very next requests.',
  run(seed) {
    const world = worldOf({ seed, speeds: equals(4), load: 0.5, ingresses: 2 })
    const siplb = new Siplb(world)
    world.start(siplb)
    world.sim.runUntil(30_000)
    const begun = world.sim.now
    const told: Point[] = []
    const took = Array.from({ length: EVENTS }, (_, i) => {
      const load = i % 2 === 0 ? HIGH : LOW
      told.push({ x: (world.sim.now - begun) / 1000, y: 100 * load })
      return followed(world, siplb, load)
    })
    const p99 = quantile(took, 0.99)
    const row = {
      what: `from a load event to the first request by the new weight, ${EVENTS} events: p99`,
      peers: { 'Kamailio, OpenSIPS, FreeSWITCH': 'ping or poll interval, and the timer' },
      ours: `${p99.toFixed(0)} ms (p50 ${quantile(took, 0.5).toFixed(0)} ms)`,
      promise: `≤ ${MOST_MS} ms`,
      held: p99 <= MOST_MS,
    }
    return { rows: [row], charts: { 'load-event': chart(siplb, told, begun) } }
  },
}

/** Milliseconds until the first new call after the weight moved; then it lets some seconds pass. */
function followed(world: World, siplb: Siplb, load: number): number {
  const { sim, chosen } = world
  const told = sim.now
  const before = siplb.weightOf(TOLD)
  siplb.tellLoad(TOLD, load)
  while (siplb.weightOf(TOLD) === before && sim.now < told + 5000) sim.runUntil(sim.now + 1)
  const calls = chosen.length
  while (chosen.length === calls && sim.now < told + 5000) sim.runUntil(sim.now + 1)
  const took = sim.now - told
  sim.runUntil(told + 3000 + world.random() * 3000)
  return took
}

function chart({ tables }: Siplb, told: readonly Point[], begun: number): Chart {
  const weights = tables
    .map(({ at, table }) => ({ x: (at - begun) / 1000, y: table.proxies.find(({ id }) => id === TOLD)?.weight ?? 0 }))
    .filter(({ x }) => x > -30 && x < SHOWN_MS / 1000)
  return {
    ...{ kind: 'lines', title: 'What px4 says of its load, and what becomes of its weight' },
    x: { label: 'seconds', from: 0, to: SHOWN_MS / 1000 },
    y: { label: 'load in %, weight of 100', from: 0, to: 110 },
    lines: [
      { label: 'weight of px4', isStepped: true, points: held(weights) },
      { label: 'load told', isStepped: true, isAside: true, points: held(told.filter(({ x }) => x < SHOWN_MS / 1000)) },
    ],
  }
}

/** The last value holds to the end of the picture. */
function held(points: readonly Point[]): Point[] {
  const last = points.at(-1)
  return last === undefined ? [] : [...points, { x: SHOWN_MS / 1000, y: last.y }]
}
