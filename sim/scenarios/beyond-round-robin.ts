import { Oracle, RoundRobin } from '../balancers/peers.ts'
import { Siplb } from '../balancers/siplb.ts'
import { quantile, responseTimes } from '../engine/figures.ts'
import type { Scenario } from '../scenario.ts'
import { equals, play, UNIT_MS, type Make } from './setting.ts'
import { units } from './words.ts'

const SPAN = { from: 60_000, to: 660_000 }
const PASSED = 100
const MOST = 30
const HALVINGS = 6

export const beyondRoundRobin: Scenario = {
  name: 'beyond-round-robin',
  shows: "At the load where round robin's p99 passes 100 units, there is room left for who sees the work.",
  run(seed) {
    const load = passing(seed)
    const p99 = (make: Make) => p99At(seed, load, make)
    const ours = p99((world) => new Siplb(world))
    const bound = p99((world) => new Oracle(world))
    const row = {
      what: `eight equals at load ${load.toFixed(4)}, where round robin's p99 passes ${PASSED}: p99 of new requests, in units`,
      peers: {
        'round robin': p99((world) => new RoundRobin(world)).toFixed(1),
        'least work, capacities known': bound.toFixed(1),
      },
      ours: units(ours * UNIT_MS, UNIT_MS),
      promise: `< ${MOST}`,
      held: ours < MOST,
    }
    return { rows: [row] }
  },
}

/** The least load, to 0.001, at which it has passed: by bisection. */
function passing(seed: number): number {
  let [under, over] = [0.94, 0.98]
  for (let i = 0; i < HALVINGS; i++) {
    const middle = (under + over) / 2
    if (p99At(seed, middle, (world) => new RoundRobin(world)) < PASSED) under = middle
    else over = middle
  }
  return over
}

function p99At(seed: number, load: number, make: Make): number {
  const { world } = play({ seed, speeds: equals(8), load }, make, { end: SPAN.to })
  return quantile(responseTimes(world, SPAN, 'INVITE'), 0.99) / UNIT_MS
}
