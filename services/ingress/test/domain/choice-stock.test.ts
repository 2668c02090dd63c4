import type { ChoicesAhead } from '@siplb/contracts'
import { describe, expect, it } from 'vitest'
import { ChoiceStock } from '../../src/domain/choice-stock.ts'

const table = { epoch: 1, seq: 5 }

function given(count: number, more: Partial<ChoicesAhead> = {}): ChoicesAhead {
  const choices = Array.from({ length: count }, (_, i) => [{ proxy: `px${i}`, uri: `sip:px${i}`, weight: 1 }])
  return { pool: 'p', ...table, policy: 'least-work', pick: 'least-work', ttlMs: 1000, choices, ...more }
}

/** The same, each candidate named once. */
function compactly(count: number): ChoicesAhead {
  const { choices, ...rest } = given(count)
  const candidates = choices.flat()
  const indexes = candidates.map((_, i) => [count - 1 - i, i].slice(0, candidates.length))
  return { ...rest, choices: [], compact: { candidates, indexes } }
}

/** So many requests a second, for as long as it takes to know the rate. */
function busy(stock: ChoiceStock, perSecond: number, from = 0): number {
  let now = from
  for (; now < from + 250; now += 1000 / perSecond) stock.take(table, now)
  return now
}

const proxyOf = (stock: ChoiceStock, newest: Parameters<ChoiceStock['take']>[0], now: number) =>
  stock.take(newest, now)?.candidates[0]?.proxy

describe('choices ahead', () => {
  it('are used once each, in their order, until none is left', () => {
    const stock = new ChoiceStock()
    expect(stock.take(table, 0)).toBeUndefined()
    stock.fill(given(2), 0)
    expect([1, 2, 3].map((now) => proxyOf(stock, table, now))).toEqual(['px0', 'px1', undefined])
  })

  it('may come in the compact form', () => {
    const stock = new ChoiceStock()
    stock.fill(compactly(3), 0)
    const taken = [1, 2, 3, 4].map((now) => stock.take(table, now)?.candidates.map(({ proxy }) => proxy))
    expect(taken).toEqual([['px2', 'px0'], ['px1', 'px1'], ['px0', 'px2'], undefined])
    const now = busy(stock, 1000, 10)
    stock.fill(compactly(100), now)
    expect(stock.wanted(100, table, now)).toBe(0)
  })

  it('are used to the last when more come, and then those that came', () => {
    const stock = new ChoiceStock()
    stock.fill(given(3), 0)
    expect(proxyOf(stock, table, 1)).toBe('px0')
    stock.fill(given(2), 2)
    const rest = Array.from({ length: 5 }, () => proxyOf(stock, table, 3))
    expect(rest).toEqual(['px1', 'px2', 'px0', 'px1', undefined])
  })

  it('say by which table and policy they were drawn', () => {
    const stock = new ChoiceStock()
    stock.fill(given(1), 0)
    expect(stock.take(table, 1)).toMatchObject({ outcome: 'routed', pool: 'p', ...table, pick: 'least-work' })
  })

  it('die with age', () => {
    const stock = new ChoiceStock()
    stock.fill(given(9), 0)
    expect(proxyOf(stock, table, 999)).toBe('px0')
    expect(proxyOf(stock, table, 1000)).toBeUndefined()
  })

  it.each([
    { epoch: 1, seq: 6 },
    { epoch: 2, seq: 0 },
  ])('die when a newer table is there: %o', (newer) => {
    const stock = new ChoiceStock()
    stock.fill(given(9), 0)
    expect(proxyOf(stock, newer, 1)).toBeUndefined()
  })

  it('are good where location has a newer table than the ingress', () => {
    const stock = new ChoiceStock()
    stock.fill(given(9, { seq: 6 }), 0)
    expect(proxyOf(stock, table, 1)).toBe('px0')
  })

  it('are asked for as the rate needs them, and before they run out', () => {
    const stock = new ChoiceStock()
    const now = busy(stock, 1000)
    expect(stock.wanted(100, table, now)).toBeCloseTo(100, -1)
    stock.fill(given(100), now)
    expect(stock.wanted(100, table, now)).toBe(0)
    for (let i = 0; i < 60; i++) stock.take(table, now)
    expect(stock.wanted(100, table, now)).toBeGreaterThan(0)
    expect(stock.wanted(100, { epoch: 2, seq: 0 }, now)).toBeGreaterThan(0)
  })

  it('are not asked for any more when the requests have stopped: an idle pool, or one that is gone, takes no turn of the others', () => {
    const stock = new ChoiceStock()
    const now = busy(stock, 1000)
    expect(stock.wanted(100, table, now + 100)).toBeGreaterThan(0)
    expect(stock.wanted(100, table, now + 300)).toBe(0)
    expect(stock.wanted(100, undefined, now + 60_000)).toBe(0)
  })

  it('are not asked for where a request comes now and then', () => {
    const stock = new ChoiceStock()
    expect(stock.wanted(100, table, busy(stock, 15))).toBe(0)
    const now = busy(stock, 1000, 1000)
    stock.take(table, now + 500)
    expect(stock.wanted(100, table, now + 500)).toBe(0)
  })
})
