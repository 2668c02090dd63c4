import type { Candidate } from '@siplb/contracts'
import { describe, expect, it } from 'vitest'
import { KnownProxies } from '../../src/domain/known-proxies.ts'

const candidatesOf = (known: KnownProxies, pool: string, candidates: readonly Candidate[]) =>
  known.of(pool, candidates).map((one) => one.candidate)
const targetsOf = (known: KnownProxies, pool: string, candidates: readonly Candidate[]) =>
  known.of(pool, candidates).map((one) => one.target)
const candidate = (proxy: string, over: object = {}) => ({ proxy, uri: `sip:${proxy}`, weight: 1, ...over })

describe('known proxies', () => {
  it('are the same objects as long as nothing of them changes', () => {
    const known = new KnownProxies()
    const first = candidatesOf(known, 'default', [candidate('px1'), candidate('px2')])
    const second = candidatesOf(known, 'default', [candidate('px2'), candidate('px1')])
    expect([second[0] === first[1], second[1] === first[0]]).toEqual([true, true])
    const [one, other] = [targetsOf(known, 'default', first), targetsOf(known, 'default', second)]
    expect([one[0] === other[1], one[1] === other[0]]).toEqual([true, true])
    expect(one[0]).toEqual({ kind: 'proxy', pool: 'default', proxy: 'px1', uri: 'sip:px1' })
  })

  it.each([{ uri: 'sip:elsewhere' }, { weight: 2 }, { fallback: true }])('are others where %o differs', (over) => {
    const known = new KnownProxies()
    candidatesOf(known, 'default', [candidate('px1')])
    const [changed] = candidatesOf(known, 'default', [candidate('px1', over)])
    expect(changed).toEqual(candidate('px1', over))
    expect(targetsOf(known, 'default', [candidate('px1', over)])[0]).toMatchObject({ uri: changed?.uri })
    expect(candidatesOf(known, 'default', [candidate('px1')])[0]).toEqual(candidate('px1'))
  })

  it('of two pools are told apart', () => {
    const known = new KnownProxies()
    const [a] = targetsOf(known, 'a', [candidate('px1')])
    const [b] = targetsOf(known, 'b', [candidate('px1')])
    expect([a, b]).toMatchObject([{ pool: 'a' }, { pool: 'b' }])
  })

  it('are forgotten when there are more than any table has', () => {
    const known = new KnownProxies()
    const [first] = candidatesOf(known, 'default', [candidate('px1')])
    for (let i = 0; i < 100_000; i++) candidatesOf(known, 'default', [candidate(`other ${i}`)])
    const [again] = candidatesOf(known, 'default', [candidate('px1')])
    expect(again).toEqual(first)
    expect(again).not.toBe(first)
  })
})
