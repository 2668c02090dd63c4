import type { Candidate } from '@siplb/contracts'
import { describe, expect, it } from 'vitest'
import { divert, restrictAskers } from '../../src/domain/overload-order.ts'

const candidate = (proxy: string): Candidate => ({ proxy, uri: `sip:${proxy}.example.com`, weight: 10 })
const [a, b, c, d] = [candidate('a'), candidate('b'), candidate('c'), candidate('d')]
const among = (names: string) => (proxy: string) => names.includes(proxy)

describe('a request that is drawn for a proxy which asks for less', () => {
  it.each([
    { asking: '', takes: '', order: 'abcd', from: undefined, because: 'nobody asks' },
    { asking: 'a', takes: 'a', order: 'abcd', from: undefined, because: 'it takes this one' },
    { asking: 'a', takes: '', order: 'bcda', from: 'a', because: 'it goes elsewhere' },
    { asking: 'ab', takes: 'b', order: 'cdba', from: 'a', because: 'who asks for nothing comes first' },
    { asking: 'ac', takes: 'ac', order: 'abdc', from: undefined, because: 'failover floods nobody' },
    { asking: 'abcd', takes: 'c', order: 'cbda', from: 'a', because: 'another one takes it' },
    { asking: 'abcd', takes: '', order: 'abcd', from: undefined, because: 'nobody takes it' },
  ])('is tried at $order, for $because', ({ asking, takes, order, from }) => {
    const diverted = divert([a, b, c, d], among(asking), among(takes))
    expect(diverted.candidates.map(({ proxy }) => proxy).join('')).toBe(order)
    expect(diverted.divertedFrom).toBe(from)
    expect(diverted.isRefused).toBe(asking === 'abcd' && takes === '')
  })
})

describe('a proxy that asks for less', () => {
  const names = (candidates: readonly Candidate[]) =>
    candidates.map((one) => (one.fallback ? `(${one.proxy})` : one.proxy))

  it.each([
    { asking: '', drawn: [a, b, c], pick: ['a', 'b', 'c'], because: 'nobody asks' },
    { asking: 'b', drawn: [a, b, c], pick: ['a', '(b)', 'c'], because: 'it would win by its little work' },
    { asking: 'a', drawn: [a, b, c], pick: ['a', '(b)', '(c)'], because: 'it is its turn' },
    { asking: 'abc', drawn: [a, b], pick: ['a', '(b)'], because: 'all ask' },
    { asking: 'a', drawn: [a, { ...b, fallback: true }], pick: ['a', '(b)'], because: 'it is alone' },
  ])('makes $pick of the draw, for $because', ({ asking, drawn, pick }) => {
    expect(names(restrictAskers(drawn, among(asking)))).toEqual(pick)
  })
})
