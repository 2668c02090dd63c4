import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { observe } from '../src/signals/peak-ewma.ts'

describe('a peak EWMA', () => {
  it('rises at once', () => {
    expect(observe({ valueMs: 10, at: 0 }, 80, 1, 3000).valueMs).toBe(80)
  })

  it('comes down by the part that the time constant says', () => {
    expect(observe({ valueMs: 100, at: 0 }, 0, 3000, 3000).valueMs).toBeCloseTo(100 / Math.E, 5)
  })

  it('ignores a sample that is older than what it knows', () => {
    const prior = { valueMs: 10, at: 100 }
    expect(observe(prior, 500, 50, 3000)).toBe(prior)
  })

  it('lies between what it was and what it is told, and never under what it is told', () => {
    const ms = fc.double({ min: 0, max: 1e5, noNaN: true })
    fc.assert(
      fc.property(ms, ms, fc.integer({ min: 0, max: 60_000 }), (before, told, later) => {
        const { valueMs } = observe({ valueMs: before, at: 0 }, told, later, 3000)
        expect(valueMs).toBeGreaterThanOrEqual(told - 1e-9)
        expect(valueMs).toBeLessThanOrEqual(Math.max(before, told) + 1e-9)
      }),
    )
  })
})
