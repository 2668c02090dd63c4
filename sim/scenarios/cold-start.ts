import { Kamailio } from '../balancers/kamailio.ts'
import { Siplb } from '../balancers/siplb.ts'
import type { World } from '../engine/world.ts'
import type { Scenario } from '../scenario.ts'
import { play, type Setting } from './setting.ts'

const BASE_WEIGHTS = [50, 100, 150, 200]
const ALL = 500
const FIRST = 500
const MOST_SIGMA = 4.5

export const coldStart: Scenario = {
  name: 'cold-start',
  shows: 'Of proxies of which nothing is known yet, the first requests are spread by their base weights.',
  run(seed) {
    const speeds = BASE_WEIGHTS.map((weight) => weight / 100)
    const setting: Setting = { seed, speeds, load: 0.3, baseWeights: BASE_WEIGHTS }
    const { world, balancer } = play(setting, (one) => new Siplb(one), { end: 30_000 })
    const peer = play(setting, (one) => new Kamailio(one, { algorithm: 13 }), { end: 30_000 })
    const isByBase = (balancer.tables[0]?.table.proxies ?? []).every(({ weight, baseWeight }) => weight === baseWeight)
    const off = furthest(world)
    const row = {
      what: `the first ${FIRST} requests after a start, base weights 10 : 20 : 30 : 40 %`,
      peers: { [peer.balancer.name]: firstShares(peer.world) },
      ours: `${firstShares(world)} (${off.toFixed(1)} σ)`,
      promise: `base weights in the first table, shares within ${MOST_SIGMA} σ`,
      held: isByBase && off <= MOST_SIGMA,
    }
    return { rows: [row] }
  },
}

function countsOf({ chosen, proxies }: World): number[] {
  const first = chosen.slice(0, FIRST)
  return proxies.map(({ id }) => first.filter(({ proxy }) => proxy === id).length)
}

function furthest(world: World): number {
  const sigmas = countsOf(world).map((count, i) => {
    const part = (BASE_WEIGHTS[i] ?? 0) / ALL
    return Math.abs(count - FIRST * part) / Math.sqrt(FIRST * part * (1 - part))
  })
  return Math.max(...sigmas)
}

function firstShares(world: World): string {
  return countsOf(world)
    .map((count) => ((100 * count) / FIRST).toFixed(1))
    .join(' : ')
}
