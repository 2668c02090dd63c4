import { weightTable, type Policy, type WeightTable } from '@siplb/contracts'
import { buildSnapshot, createChooser, draw, pickFreshest } from '@siplb/routing'
import { PoolTraffic } from '../services/ingress/src/shell/pool-traffic.ts'
import type { Bench, Suite } from './bench.ts'
import { tableOf } from './samples.ts'

const sizes = [4, 100, 1000, 10_000] as const
const policies = ['least-work', 'two-choices', 'smooth-round-robin', 'weighted-random', 'rendezvous'] as const
/** How much dearer a decision may be with the most proxies than with the fewest. */
const promised: Partial<Record<Policy, number>> = { 'least-work': 3, 'two-choices': 1.5, 'weighted-random': 1.5 }

const nameOf = (policy: Policy, size: number) => `decision by ${policy}, ${size} proxies`

/** Work outstanding everywhere, more here and less there, in the ledger of an ingress. */
function busy({ proxies }: WeightTable): PoolTraffic {
  const traffic = new PoolTraffic()
  for (const [i, { id }] of proxies.entries()) {
    for (let n = 0; n <= i % 7; n++) traffic.begin({ proxy: id, cost: 1, isInvite: true }, true)
  }
  return traffic
}

/** As it comes by the bus: what is read from JSON has each short name once. */
function heard(table: WeightTable): WeightTable {
  return weightTable.parse(JSON.parse(JSON.stringify(table)))
}

/** Draw and pick, as an ingress does by its own table. */
function decision(policy: Policy, size: number): Bench {
  const snapshot = buildSnapshot(heard(tableOf(size, policy)))
  const chooser = createChooser(Math.random)
  const traffic = busy(heard(tableOf(size, policy)))
  let calls = 0
  const run = () => {
    calls += 1
    const { candidates, pick } = draw(snapshot, chooser, policy === 'rendezvous' ? `call-${calls}` : undefined)
    return pickFreshest(candidates, pick, traffic.workAt(calls))
  }
  return { name: nameOf(policy, size), run }
}

const built = (['least-work', 'weighted-random'] as const).map((policy): Bench => {
  const table = tableOf(10_000, policy)
  return { name: `buildSnapshot of 10,000 proxies, ${policy}`, run: () => buildSnapshot(table) }
})

export const suite: Suite = {
  benches: [...policies.map((policy) => sizes.map((size) => decision(policy, size))), ...built],
  notes: (micros) =>
    policies.flatMap((policy) => {
      const few = micros.get(nameOf(policy, 4))
      const most = micros.get(nameOf(policy, 10_000))
      if (few === undefined || most === undefined) return []
      const promise = promised[policy]
      const said = promise === undefined ? 'nothing promised' : `promised: at most ${promise}`
      return [`${policy}: ${(most / few).toFixed(2)} times as dear with 10,000 proxies as with 4 (${said})`]
    }),
}
