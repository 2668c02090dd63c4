import { describe, expect, it } from 'vitest'
import { isAbandoned, mayClaim } from '../../src/domain/lease-rule.ts'
import { forgottenReplicas, signHeard, signRemoved, writerOf, type Replicas } from '../../src/domain/replicas.ts'

const lease = { holder: 'other', epoch: 4, beat: 9 }

describe('a lease', () => {
  it.each([
    ['nobody has it', undefined, true, 0, true],
    ['nobody has it, and another is meant to', undefined, false, 400, false],
    ['nobody has it, and who is meant to does not take it', undefined, false, 500, true],
    ['it was given up', { ...lease, released: true }, true, 0, true],
    ['its holder was heard of lately', lease, true, 2900, false],
    ['its holder missed three beats', lease, true, 3000, true],
    ['its holder missed three beats, and another is meant to', lease, false, 3000, false],
  ])('when %s', (_when, found, isMeant, silentMs, may) => {
    expect(mayClaim({ lease: found, seenAt: 1000 }, isMeant, 1000 + silentMs)).toBe(may)
  })
})

describe('a pool that this weigher does not declare', () => {
  it('is declared by nobody when its lease was not written for ten seconds', () => {
    expect([9900, 10_000].map((silentMs) => isAbandoned(1000, 1000 + silentMs))).toEqual([false, true])
  })
})

/** Signs of life of these replicas, one each second. */
function replicas(names: readonly string[], seconds: number): Replicas {
  let known: Replicas = new Map()
  for (let s = 0; s <= seconds; s++) for (const name of names) known = signHeard(known, name, `${s}`, s * 1000)
  return known
}
const pools = Array.from({ length: 60 }, (_, i) => `pool-${i}`)

describe('replicas', () => {
  it('share the pools, and each comes to the same', () => {
    const known = replicas(['a', 'b', 'c'], 8)
    const byA = pools.map((pool) => writerOf(pool, known, 'a', 8000))
    expect(pools.map((pool) => writerOf(pool, known, 'b', 8000))).toEqual(byA)
    for (const name of ['a', 'b', 'c']) expect(byA.filter((writer) => writer === name).length).toBeGreaterThan(10)
  })

  it('move only the pools of one that goes', () => {
    const all = replicas(['a', 'b', 'c'], 8)
    const without = signRemoved(all, 'c')
    for (const pool of pools) {
      const before = writerOf(pool, all, 'a', 8000)
      if (before !== 'c') expect(writerOf(pool, without, 'a', 8000)).toBe(before)
    }
  })

  it('count only after five seconds of signs, and not after three of silence', () => {
    const isAlone = (known: Replicas, now: number) => pools.every((pool) => writerOf(pool, known, 'a', now) === 'a')
    expect(isAlone(replicas(['b'], 5), 5000)).toBe(true)
    expect(isAlone(replicas(['b'], 7), 7000)).toBe(false)
    expect(isAlone(replicas(['b'], 7), 10_100)).toBe(true)
  })

  it('are not alive by a key that lies in the store, however often it is read', () => {
    let known: Replicas = new Map()
    for (let now = 0; now < 9000; now += 1000) known = signHeard(known, 'b', 'same', now)
    expect(pools.every((pool) => writerOf(pool, known, 'a', 1000) === 'a')).toBe(true)
    expect(forgottenReplicas(known, 'a', 61_000)).toEqual(['b'])
  })
})
