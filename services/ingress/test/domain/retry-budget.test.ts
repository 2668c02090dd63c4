import { retryConfig } from '@siplb/contracts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RetryBudget } from '../../src/domain/retry-budget.ts'

const settings = retryConfig.parse({})

function takeAll(budget: RetryBudget, now: number): number {
  let taken = 0
  while (budget.take(now)) taken += 1
  return taken
}

describe('the retry budget', () => {
  it('lets a burst of a hundred through at the start, and then says no', () => {
    const budget = new RetryBudget(0, settings)
    expect(takeAll(budget, 0)).toBe(100)
    expect(budget.take(0)).toBe(false)
  })

  it('earns ten a second without any traffic', () => {
    const budget = new RetryBudget(0, settings)
    takeAll(budget, 0)
    expect(takeAll(budget, 1000)).toBe(10)
    expect(takeAll(budget, 1050)).toBe(0)
    expect(takeAll(budget, 1100)).toBe(1)
  })

  it('earns one for ten new requests', () => {
    const budget = new RetryBudget(0, settings)
    takeAll(budget, 0)
    for (let i = 0; i < 200; i++) budget.earn(0)
    expect(takeAll(budget, 0)).toBe(20)
  })

  it('saves no more than a minute of what it earns', () => {
    const budget = new RetryBudget(0, settings)
    expect(takeAll(budget, 3_600_000)).toBe(600)
    for (let i = 1; i <= 36_000; i++) budget.earn(3_600_000 + i * 10)
    // 100 requests/s earn 10/s, beside the 10/s that come in any case.
    const saved = takeAll(budget, 3_960_000)
    expect(saved).toBeGreaterThan(1100)
    expect(saved).toBeLessThan(1300)
  })

  it('is taken over by new settings: what is saved up stays, as far as there is room for it', () => {
    const budget = new RetryBudget(0, settings)
    budget.configure({ perRequest: 1, perSecond: 0, savedSeconds: 1, leastCapacity: 5 })
    expect(takeAll(budget, 0)).toBe(5)
    expect(takeAll(budget, 60_000)).toBe(0)
    budget.earn(60_000)
    expect(takeAll(budget, 60_000)).toBe(1)
  })

  it('is not moved by a clock that steps back', () => {
    const budget = new RetryBudget(10_000, settings)
    takeAll(budget, 10_000)
    expect(budget.take(0)).toBe(false)
    expect(takeAll(budget, 10_100)).toBe(1)
  })

  it('never gives more than it earned, whatever the order', () => {
    const step = fc.record({ ms: fc.nat(500), earn: fc.nat(20), take: fc.nat(50) })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const budget = new RetryBudget(0, settings)
        let [now, requests, taken] = [0, 0, 0]
        for (const { ms, earn, take } of steps) {
          now += ms
          for (let i = 0; i < earn; i++) budget.earn(now)
          requests += earn
          for (let i = 0; i < take; i++) if (budget.take(now)) taken += 1
          expect(taken).toBeLessThanOrEqual(100 + now / 100 + requests / 10 + 1e-6)
        }
      }),
    )
  })
})
