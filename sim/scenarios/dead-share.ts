import { Kamailio } from '../balancers/kamailio.ts'
import { Siplb } from '../balancers/siplb.ts'
import { share } from '../engine/figures.ts'
import type { World } from '../engine/world.ts'
import type { Row, Scenario } from '../scenario.ts'
import { equals, play, type Make, type Setting } from './setting.ts'
import { percent } from './words.ts'

const DEAD = 'px3'
const DIES = 20_000
/** Kamailio needs 30 s to see it. */
const KNOWN = 60_000
const END = 460_000
/** So little that no weight has a reason to move. */
const LOAD = 0.1
const MOST = 0.05
const WEIGHTS = [100, 200, 300, 150, 250]
/** A fair share of five, by one of the four that are left. */
const BEFORE_TO_AFTER = 5 / 4

export const deadShare: Scenario = {
  name: 'dead-share',
  shows: 'What a dead proxy was to get is spread over all the others by their weights, and not over one neighbour.',
  run(seed) {
    const alike: Setting = { seed, load: LOAD, speeds: equals(5) }
    const kamailio = partsLeft(alike, (world) => new Kamailio(world, { algorithm: 4 }))
    const neighbour = `${(Math.max(...kamailio) * BEFORE_TO_AFTER).toFixed(2)} × its share before`
    const byWork = partsLeft(alike, (world) => new Siplb(world))
    // By work, who is quick for its weight gets more: that is told by unequal-capacity, and not here.
    const byTurns = partsLeft(
      { ...alike, baseWeights: WEIGHTS },
      (world) => new Siplb(world, { pool: { policy: 'smooth-round-robin' } }),
    )
    return {
      rows: [
        row('equal weights, least-work', byWork, { 'Kamailio 4, the neighbour': neighbour }),
        row('weights 10 : 20 : 30 : 15 : 25, smooth-round-robin', byTurns, {}),
      ],
    }
  },
}

function row(how: string, parts: readonly number[], peers: Row['peers']): Row {
  const off = Math.max(...parts.map((part) => Math.abs(part - 1)))
  return {
    what: `one of five is dead, ${how}: how far the others are from their weights' shares`,
    peers,
    ours: percent(off),
    promise: '≤ 5 %',
    held: off <= MOST,
  }
}

/** Of each that is left: its share by its part of the weights. */
function partsLeft(setting: Setting, make: Make): number[] {
  const event = { at: DIES, happen: (world: World) => void (world.proxy(DEAD).behaviour = { kind: 'silent' }) }
  const { world } = play(setting, make, { end: END, event })
  const left = world.proxies.filter(({ id }) => id !== DEAD)
  const all = left.reduce((sum, { baseWeight }) => sum + baseWeight, 0)
  return left.map(({ id, baseWeight }) => (share(world, id, { from: KNOWN, to: END }) * all) / baseWeight)
}
