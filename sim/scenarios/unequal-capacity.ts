import { Oracle } from '../balancers/peers.ts'
import { Siplb } from '../balancers/siplb.ts'
import { mean, quantile, responseTimes, share, spans, type Span } from '../engine/figures.ts'
import type { Balancer, World } from '../engine/world.ts'
import type { Chart } from '../picture/chart.ts'
import type { Row, Scenario } from '../scenario.ts'
import { PEERS } from './balancers.ts'
import { UNIT_MS, worldOf, type Make, type Setting } from './setting.ts'
import { percent, units } from './words.ts'

const SPEEDS = [1, 2, 4]
const CAPACITY = 7
const AFTER: Span = { from: 60_000, to: 360_000 }
const MOST_OFF = 0.1
const MOST_UTILISATION = 1.05
const MOST_P99 = 1.3

export const unequalCapacity: Scenario = {
  name: 'unequal-capacity',
  shows: 'Three proxies of speeds 1 : 2 : 4, of which nobody told the balancer, get their shares within a minute.',
  run(seed) {
    const setting: Setting = { seed, speeds: SPEEDS, load: 0.8 }
    const bound = measured(setting, (world) => new Oracle(world))
    const peers = PEERS.map((make) => measured(setting, make))
    const one = measured(setting, (world) => new Siplb(world))
    const two = measured({ ...setting, ingresses: 2 }, (world) => new Siplb(world))
    const others = (['two-choices', 'smooth-round-robin', 'weighted-random'] as const).map((policy) =>
      measured(setting, (world) => new Siplb(world, { pool: { policy }, name: policy })),
    )
    const rows = [
      ...rowsOf('one ingress', one, bound, peers),
      ...rowsOf('two ingresses', two, bound, []),
      ...others.map(policyRow),
    ]
    return {
      rows,
      charts: { 'unequal-capacity-shares': sharesChart(one), 'unequal-capacity-weights': weightsChart(one) },
    }
  },
}

interface Measured {
  readonly name: string
  readonly world: World
  readonly balancer: Balancer
  readonly shares: readonly number[]
  readonly utilisation: number
  readonly p99: number
}

function measured(setting: Setting, make: Make): Measured {
  const world = worldOf(setting)
  const balancer = make(world)
  world.start(balancer)
  world.sim.runUntil(AFTER.from)
  const before = world.proxies.map(({ busyMs }) => busyMs)
  world.sim.runUntil(AFTER.to)
  const busy = world.proxies.map(({ busyMs }, i) => busyMs - (before[i] ?? 0))
  return {
    name: balancer.name,
    ...{ world, balancer },
    shares: world.proxies.map(({ id }) => share(world, id, AFTER)),
    utilisation: Math.max(...busy) / mean(busy),
    p99: quantile(responseTimes(world, AFTER), 0.99),
  }
}

function rowsOf(where: string, ours: Measured, bound: Measured, peers: readonly Measured[]): Row[] {
  const off = Math.max(...ours.shares.map((part, i) => Math.abs((part * CAPACITY) / (SPEEDS[i] ?? 1) - 1)))
  const ratio = ours.p99 / bound.p99
  const others = (value: (one: Measured) => string) => Object.fromEntries(peers.map((one) => [one.name, value(one)]))
  return [
    {
      what: `speeds 1 : 2 : 4, unknown, load 0.8, ${where}: shares from 60 s on, of 14.3 : 28.6 : 57.1 %`,
      peers: others(sharesOf),
      ours: `${sharesOf(ours)} (off by ${percent(off)})`,
      promise: 'each within 10 %',
      held: off <= MOST_OFF,
    },
    {
      what: `the same, ${where}: greatest by mean utilisation`,
      peers: others(({ utilisation }) => utilisation.toFixed(2)),
      ours: ours.utilisation.toFixed(3),
      promise: `≤ ${MOST_UTILISATION}`,
      held: ours.utilisation <= MOST_UTILISATION,
    },
    {
      what: `the same, ${where}: p99 of all requests, in units`,
      peers: { ...others(({ p99 }) => units(p99, UNIT_MS)), [bound.name]: units(bound.p99, UNIT_MS) },
      ours: `${units(ours.p99, UNIT_MS)} (${ratio.toFixed(2)} ×)`,
      promise: `≤ ${MOST_P99} × least work with the capacities known`,
      held: ratio <= MOST_P99,
    },
  ]
}

function policyRow(one: Measured): Row {
  return {
    what: `the same, one ingress, policy ${one.name}: p99 of all requests, in units, and shares`,
    peers: {},
    ours: `${units(one.p99, UNIT_MS)}; ${sharesOf(one)}`,
  }
}

function sharesOf({ shares }: Measured): string {
  return shares.map((part) => (100 * part).toFixed(1)).join(' : ')
}

const seconds = { label: 'seconds', from: 0, to: 180 } as const

function sharesChart({ world }: Measured): Chart {
  const columns = spans({ from: 0, to: 180_000 }, 6000).map((span) => ({
    x: span.to / 1000,
    heights: world.proxies.map(({ id }) => 100 * share(world, id, span)),
  }))
  return {
    ...{
      kind: 'stacked',
      title: 'Speeds 1 : 2 : 4, unknown: shares of the new requests',
      x: { ...seconds, from: 6 },
      columns,
    },
    y: {
      ...{ label: '% of new requests', from: 0, to: 100 },
      ticks: [0, 100 / 7, 300 / 7, 100].map((at) => ({ at, label: at.toFixed(0) })),
    },
    labels: world.proxies.map(({ id, speed }) => `${id}, speed ${speed}`),
  }
}

function weightsChart({ world, balancer }: Measured): Chart {
  const tables = balancer instanceof Siplb ? balancer.tables : []
  const lines = world.proxies.map(({ id, speed }, i) => ({
    label: `${id}, speed ${speed}`,
    isStepped: true,
    points: tables
      .filter(({ at }) => at <= 180_000)
      .map(({ at, table }) => ({ x: at / 1000, y: table.proxies[i]?.weight ?? 0 })),
  }))
  return {
    ...{ kind: 'lines', title: 'Speeds 1 : 2 : 4, unknown: weights', x: seconds, lines },
    y: { label: 'weight (base weight 100)', from: 0, to: 250 },
  }
}
