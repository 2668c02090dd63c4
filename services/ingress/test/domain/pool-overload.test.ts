import type { Candidate } from '@siplb/contracts'
import type { Overload } from '@siplb/sip'
import { describe, expect, it } from 'vitest'
import { seeded } from '../seeded.ts'
import { PoolOverload, type Choice } from '../../src/domain/pool-overload.ts'
import { weightTable } from '../weight-tables.ts'

const uriOf = (proxy: string) => `sip:${proxy}.example.com`
const candidate = (proxy: string): Candidate => ({ proxy, uri: uriOf(proxy), weight: 100 })
const loss = (value: number): Overload => ({ algorithm: 'loss', value, seq: 0, validityMs: 1000 })
const rate = (value: number): Overload => ({ ...loss(value), algorithm: 'rate' })
const rowsOf = (...ids: string[]) => weightTable(ids.map((id) => ({ id, uri: uriOf(id) }))).proxies

function choice(parts: Partial<Choice> = {}): Choice {
  return {
    ...{
      candidates: [candidate('a'), candidate('b')],
      pick: 'first',
      challenger: undefined,
      requestClass: 'untrusted',
    },
    ...{ rows: rowsOf('a', 'b'), workOf: () => 0, mayShed: true, ingresses: 1, ...parts },
  }
}

/** Where a thousand such requests go. */
function thousand(pool: PoolOverload, made: Choice): Record<string, number> {
  const counts: Record<string, number> = {}
  for (let i = 0; i < 1000; i++) {
    const chosen = pool.choose(made, i / 2)
    const to = chosen.kind === 'shed' ? 'shed' : (chosen.candidates[0]?.proxy ?? 'nobody')
    counts[to] = (counts[to] ?? 0) + 1
  }
  return counts
}

describe('requests for a pool', () => {
  it.each([
    { asks: {}, made: {}, go: { a: 1000 }, because: 'nobody asks for less' },
    { asks: { a: loss(30) }, made: {}, go: { a: 700, b: 300 }, because: 'that part goes elsewhere' },
    { asks: { a: loss(30), b: loss(50) }, made: {}, go: { shed: 400 }, because: 'all ask for less' },
    { asks: { a: loss(30), b: loss(50) }, made: { mayShed: false }, go: {}, because: 'the proxies have to refuse' },
    {
      asks: { a: loss(100), b: loss(100) },
      made: { requestClass: 'emergency' },
      go: { a: 1000 },
      because: 'it is an emergency',
    },
    { asks: { a: rate(0), b: rate(0) }, made: {}, go: { shed: 1000 }, because: 'no rate is left' },
    {
      asks: { a: rate(0), b: rate(0) },
      made: { requestClass: 'emergency' },
      go: { a: 1000 },
      because: 'it is an emergency',
    },
    { asks: { a: rate(0), b: rate(0) }, made: { mayShed: false }, go: { a: 1000 }, because: 'we may not shed' },
    {
      asks: { a: loss(100), b: loss(100) },
      made: { rows: rowsOf('a', 'b', 'c') },
      go: { c: 1000 },
      because: 'one that was not drawn asks for nothing',
    },
    {
      asks: { a: loss(50) },
      made: { challenger: candidate('a') },
      go: { a: 1000 },
      because: 'only this proxy knows the nonce',
    },
  ] as const)('go to $go, for $because', ({ asks, made, go }) => {
    const pool = new PoolOverload(seeded())
    for (const [proxy, overload] of Object.entries(asks)) pool.control.observe(proxy, overload, 0)
    const counts = thousand(pool, choice(made))
    for (const [to, count] of Object.entries(go)) expect(Math.abs((counts[to] ?? 0) - count)).toBeLessThanOrEqual(2)
    if (!('shed' in go)) expect(counts).not.toHaveProperty('shed')
  })

  it('that all proxies together take are what each of them asked for', () => {
    const pool = new PoolOverload(seeded())
    pool.control.observe('a', loss(80), 0)
    pool.control.observe('b', loss(20), 0)
    const [ab, ba] = [choice(), choice({ candidates: [candidate('b'), candidate('a')] })]
    const counts: Record<string, number> = { a: 0, b: 0 }
    for (let i = 0; i < 4000; i++) {
      // Drawn in turn, as smooth round robin does.
      const chosen = pool.choose(i % 2 === 0 ? ab : ba, i / 8)
      const to = chosen.kind === 'shed' ? 'shed' : (chosen.candidates[0]?.proxy ?? 'nobody')
      counts[to] = (counts[to] ?? 0) + 1
    }
    expect(Math.abs((counts['a'] ?? 0) / 4000 - 0.1)).toBeLessThan(0.03)
    expect(Math.abs((counts['b'] ?? 0) / 4000 - 0.4)).toBeLessThan(0.03)
  })

  it('an idle proxy that asks for less wins no pick by its little work', () => {
    const pool = new PoolOverload(seeded())
    pool.control.observe('b', loss(10), 0)
    const workOf = (proxy: string) => (proxy === 'a' ? 9 : 0)
    expect(thousand(pool, choice({ pick: 'least-work', workOf }))).toEqual({ a: 1000 })
  })

  it('a rate that was told to somebody else is shared by all ingresses', () => {
    const pool = new PoolOverload(seeded())
    pool.control.hear('a', rate(200), 0, 0)
    // 1000 requests in half a second: 100 would fit, and a quarter of that with four ingresses.
    expect(Math.abs((thousand(pool, choice({ ingresses: 4 }))['a'] ?? 0) - 25)).toBeLessThanOrEqual(4)
  })

  it('a proxy in its slow start does not get all that the others leave out', () => {
    const pool = new PoolOverload(seeded())
    pool.control.observe('a', loss(50), 0)
    pool.control.observe('b', loss(50), 0)
    const [grown, rest] = [rowsOf('a', 'b'), rowsOf('c')]
    const rows = [...grown, ...rest.map((row) => ({ ...row, weight: 5, restricted: true }))]
    const counts = thousand(pool, choice({ rows }))
    expect(counts).not.toHaveProperty('c')
    expect(Math.abs((counts['shed'] ?? 0) - 488)).toBeLessThanOrEqual(2)
  })
})
