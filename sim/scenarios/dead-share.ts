import { Kamailio } from '../balancers/kamailio.ts'
import { Siplb } from '../balancers/siplb.ts'
import { share } from '../engine/figures.ts'
import type { World } from '../engine/world.ts'
import type { Scenario } from '../scenario.ts'
import { play, type Make, type Setting } from './setting.ts'
import { percent } from './words.ts'

const DIES = 20_000
/** Kamailio needs 30 s to see it. */
const KNOWN = 60_000
const END = 460_000
const MOST = 0.05
/** A fair share of five, by one of the four that are left. */
const BEFORE_TO_AFTER = 5 / 4

export const deadShare: Scenario = {
  name: 'dead-share',
  shows: 'What a dead proxy was to get is spread over all the others by their weights, and not over one neighbour.',
  run(seed) {
    const baseWeights = [100, 200, 300, 150, 250]
    const ours: Setting = { seed, load: 0.25, baseWeights, speeds: baseWeights.map((weight) => weight / 100) }
    const world = afterDeath(ours, (one) => new Siplb(one))
    const off = Math.max(...parts(world, baseWeights).map((part) => Math.abs(part - 1)))
    const theirs: Setting = { seed, load: 0.25, speeds: [1, 1, 1, 1, 1] }
    const neighbour = Math.max(
      ...parts(afterDeath(theirs, (one) => new Kamailio(one, { algorithm: 4 })), [1, 1, 1, 1, 1]),
    )
    const row = {
      what: "one of five is dead: how far the others' shares are from their weights",
      peers: { 'Kamailio 4, the neighbour of five equals': `${(neighbour * BEFORE_TO_AFTER).toFixed(2)} × its share before` },
      ours: percent(off),
      promise: '≤ 5 %',
      held: off <= MOST,
    }
    return { rows: [row] }
  },
}

function afterDeath(setting: Setting, make: Make): World {
  const event = { at: DIES, happen: (world: World) => (world.proxy('px3').behaviour = { kind: 'silent' }) }
  return play(setting, make, { end: END, event }).world
}

/** Of each that is left: its share by its part of the weights. */
function parts(world: World, weights: readonly number[]): number[] {
  const left = world.proxies.map(({ id }, i) => ({ id, weight: weights[i] ?? 0 })).filter(({ id }) => id !== 'px3')
  const all = left.reduce((sum, { weight }) => sum + weight, 0)
  return left.map(({ id, weight }) => (share(world, id, { from: KNOWN, to: END }) * all) / weight)
}
