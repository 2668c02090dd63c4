import type { Policy } from '@siplb/contracts'
import { buildSnapshot, createChooser, draw, pickFreshest } from '@siplb/routing'
import type { Bench, Suite } from './bench.ts'
import { tableOf } from './samples.ts'

const sizes = [4, 100, 1000, 10_000] as const
const policies = ['least-work', 'two-choices', 'smooth-round-robin', 'weighted-random', 'rendezvous'] as const
/** How much dearer a decision may be with the most proxies than with the fewest. */
const promised: Partial<Record<Policy, number>> = { 'least-work': 3, 'two-choices': 1.5, 'weighted-random': 1.5 }

const nameOf = (policy: Policy, size: number) => `decision by ${policy}, ${size} proxies`

/** Draw and pick, with some work outstanding everywhere. */
function decision(policy: Policy, size: number): Bench {
  const snapshot = buildSnapshot(tableOf(size, policy))
  const chooser = createChooser(Math.random)
  const work = new Map(Array.from({ length: size }, (_, i) => [`px${i}`, i % 7]))
  const workOf = (proxy: string) => work.get(proxy) ?? 0
  let calls = 0
  const run = () => {
    const { candidates, pick } = draw(snapshot, chooser, policy === 'rendezvous' ? `call-${calls++}` : undefined)
    return pickFreshest(candidates, pick, workOf)
  }
  return { name: nameOf(policy, size), run }
}

const built = (['least-work', 'weighted-random'] as const).map((policy): Bench => {
  const table = tableOf(10_000, policy)
  return { name: `buildSnapshot of 10,000 proxies, ${policy}`, run: () => buildSnapshot(table) }
})

export const suite: Suite = {
  benches: [...policies.flatMap((policy) => sizes.map((size) => decision(policy, size))), ...built],
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
