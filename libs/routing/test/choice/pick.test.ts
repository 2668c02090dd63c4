import type { Candidate } from '@siplb/contracts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pickFreshest } from '../../src/choice/pick.ts'

const candidate = (proxy: string, weight = 10): Candidate => ({ proxy, uri: `sip:${proxy}.example.com`, weight })
const [a, b, c] = [candidate('a'), candidate('b'), candidate('c')]
const works = (work: Record<string, number>) => (proxy: string) => work[proxy] ?? 0

describe('the pick', () => {
  it('by order keeps the order, whatever the work', () => {
    expect(pickFreshest([b, a, c], 'first', works({ b: 9 }))).toEqual([b, a, c])
  })

  it('by work takes the least, and keeps the others as drawn', () => {
    expect(pickFreshest([a, b, c], 'least-work', works({ a: 3, b: 2, c: 1 }))).toEqual([c, a, b])
  })

  it('counts work for the weight', () => {
    expect(pickFreshest([a, candidate('big', 40)], 'least-work', works({ a: 1, big: 3 }))[0]?.proxy).toBe('big')
    expect(pickFreshest([a, candidate('big', 40)], 'least-work', works({ a: 1, big: 5 }))[0]?.proxy).toBe('a')
  })

  it('gives a tie to the first drawn', () => {
    expect(pickFreshest([c, a, b], 'least-work', works({}))).toEqual([c, a, b])
    expect(pickFreshest([c, a, b], 'least-work', works({ a: 1, b: 1, c: 2 }))[0]).toBe(a)
  })

  it('never takes what is there as a fallback only', () => {
    const fallback = { ...b, fallback: true }
    expect(pickFreshest([a, fallback], 'least-work', works({ a: 9 }))).toEqual([a, fallback])
  })

  it('takes one without weight only when there is no other', () => {
    const idle = candidate('idle', 0)
    expect(pickFreshest([idle, a], 'least-work', works({ a: 9 }))).toEqual([a, idle])
    expect(pickFreshest([idle], 'least-work', works({}))).toEqual([idle])
  })

  it('of nothing is nothing', () => {
    expect(pickFreshest([], 'least-work', works({}))).toEqual([])
  })

  it('loses nobody and never picks a busier one', () => {
    const anyone = fc.record({ weight: fc.double({ min: 0.1, max: 100, noNaN: true }), work: fc.nat(50) })
    fc.assert(
      fc.property(fc.array(anyone, { minLength: 1, maxLength: 6 }), (given) => {
        const candidates = given.map(({ weight }, i) => candidate(`px${i}`, weight))
        const workOf = (proxy: string) => given[Number(proxy.slice(2))]?.work ?? 0
        const ordered = pickFreshest(candidates, 'least-work', workOf)
        const score = (one: Candidate | undefined) => (one === undefined ? NaN : workOf(one.proxy) / one.weight)
        expect(ordered.toSorted(byName)).toEqual(candidates.toSorted(byName))
        expect(ordered.slice(1)).toEqual(candidates.filter((one) => one !== ordered[0]))
        return candidates.every((one) => score(ordered[0]) <= score(one))
      }),
    )
  })
})

const byName = (x: Candidate, y: Candidate) => x.proxy.localeCompare(y.proxy)
