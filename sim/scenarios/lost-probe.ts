import type { WeightRow } from '@siplb/contracts'
import { Kamailio } from '../balancers/kamailio.ts'
import { Siplb } from '../balancers/siplb.ts'
import type { Row, Scenario } from '../scenario.ts'
import { equals, play, worldOf, type Setting } from './setting.ts'
import { percent } from './words.ts'

const END = 1_000_000
const LOST_AT = 500_000
/** Whatever came of it shows by then. */
const SEEN_BY = 530_000
const PROXY = 'px4'
const MOST = 0.02

export const lostProbe: Scenario = {
  name: 'lost-probe',
  shows: 'A lost probe moves no weight, and when one in ten is lost nobody is taken out for it.',
  run(seed) {
    const setting: Setting = { seed, speeds: equals(4), load: 0.5 }
    const steady = movesOf(setting, false)
    const lost = movesOf(setting, true)
    const off = Math.max(...lost.weights.map((weight, i) => Math.abs(weight / (steady.weights[i] ?? 0) - 1)))
    const row: Row = {
      what: 'one lost probe in 1,000 s of steady traffic: the most that any weight differs from the run without',
      peers: kamailioRow(setting),
      ours: percent(off),
      promise: '≤ 2 %',
      held: off <= MOST,
    }
    return { rows: [row, steadyRow(steady), lossyRow(setting)] }
  },
}

interface Moves {
  readonly weights: readonly number[]
  readonly moves: number
  readonly least: number
}

/** Weights of all proxies every 250 ms after the loss, and how often any weight moved in the whole run. */
function movesOf(setting: Setting, isLost: boolean): Moves {
  const world = worldOf(setting)
  const siplb = new Siplb(world)
  const weights: number[] = []
  world.start(siplb)
  if (isLost) world.sim.after(LOST_AT, () => siplb.loseProbe(PROXY))
  world.sim.every(250, () => {
    if (world.sim.now > LOST_AT && world.sim.now <= SEEN_BY)
      weights.push(...world.proxies.map(({ id }) => siplb.weightOf(id)))
  })
  world.sim.runUntil(isLost ? SEEN_BY : END)
  const rows = siplb.tables.flatMap(({ table }) => table.proxies)
  const moves = rows.filter((row) => row.weight !== row.prevWeight).length
  return { weights, moves, least: leastOf(rows) }
}

function steadyRow({ moves, least }: Moves): Row {
  return {
    what: 'four equals in 1,000 s of steady traffic at load 0.5: how often a weight moves at all',
    peers: {},
    ours: `${moves} times (least weight ${least} of 100)`,
  }
}

function lossyRow(setting: Setting): Row {
  const { balancer } = play(setting, (world) => new Siplb(world, { probeLoss: 0.1 }), { end: 600_000 })
  const rows = balancer.tables.flatMap(({ table }) => table.proxies)
  const taken = rows.filter(({ state }) => state === 'down' || state === 'ejected' || state === 'recovering').length
  return {
    what: 'one probe in ten is lost for 600 s, traffic is well: proxies that are taken down or ejected',
    peers: {},
    ours: `${taken} (least weight ${leastOf(rows)} of 100)`,
    promise: 'none',
    held: taken === 0,
  }
}

function leastOf(rows: readonly WeightRow[]): number {
  return Math.round(Math.min(...rows.map(({ weight }) => weight)))
}

function kamailioRow(setting: Setting): Record<string, string> {
  const world = worldOf(setting)
  const kamailio = new Kamailio(world, { algorithm: 11, congestionControl: true })
  world.start(kamailio)
  world.sim.runUntil(LOST_AT)
  const before = kamailio.weightOf(PROXY)
  let least = before
  kamailio.loseProbe(PROXY)
  world.sim.every(100, () => (least = Math.min(least, kamailio.weightOf(PROXY))))
  world.sim.runUntil(SEEN_BY)
  return { [kamailio.name]: `${before} → ${least}` }
}
