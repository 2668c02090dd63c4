import type { Candidate } from '@siplb/contracts'
import { describe, expect, it } from 'vitest'
import { divert, withoutIdleAskers } from '../../src/domain/overload-order.ts'

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
  it('is a candidate only when drawn first', () => {
    const marked = withoutIdleAskers([a, b, { ...c, fallback: true }], among('abc'))
    expect(marked).toEqual([a, { ...b, fallback: true }, { ...c, fallback: true }])
  })

  it('changes nothing of the draw where it stands first', () => {
    const drawn = [a, b]
    expect(withoutIdleAskers(drawn, among('a'))).toBe(drawn)
  })
})
