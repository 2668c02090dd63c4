import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { damp, undamped, type Damped } from '../src/factors/damping.ts'

const rules = { maxStep: 0.25, tickMs: 250, deadBand: 0.05 }
const settled = (value: number): Damped => ({ value, allowance: 0.25, at: 0 })

describe('damping', () => {
  it('moves at most two steps after a quiet time, and then one per tick', () => {
    let now = 1000
    let damped = settled(1)
    const seen = [1, 2, 3, 4].map(() => (damped = damp(damped, 0.1, (now += 250), rules)).value)
    expect(seen).toEqual([0.5, 0.25, 0.1, 0.1])
  })

  it('is not made quicker by being asked more often', () => {
    let damped = settled(1)
    for (let now = 10; now <= 250; now += 10) damped = damp(damped, 0, now, rules)
    expect(damped.value).toBeCloseTo(0.5)
  })

  it('follows the first news after a quiet time at once, though no tick is due', () => {
    expect(damp(settled(1), 0.8, 5, rules).value).toBe(0.8)
  })

  it('leaves 1 only for more than three dead bands, and returns to exactly 1 within one', () => {
    expect(damp(settled(1), 0.86, 250, rules).value).toBe(1)
    expect(damp(settled(1), 0.84, 250, rules).value).toBe(0.84)
    expect(damp(settled(0.84), 0.94, 250, rules).value).toBe(0.94)
    expect(damp(settled(0.84), 0.96, 250, rules).value).toBe(1)
  })

  it('does not limit the fall on hard evidence, but the rise after it', () => {
    const fallen = damp(settled(1), 0.02, 10, rules, true)
    expect(fallen.value).toBe(0.02)
    expect(damp(fallen, 1, 260, rules, true).value).toBeCloseTo(0.27, 5)
  })

  it('never leaves the way between where it is and where it is wanted', () => {
    const factor = fc.double({ min: 0.02, max: 1, noNaN: true })
    fc.assert(
      fc.property(factor, factor, fc.integer({ min: 0, max: 2000 }), (from, wanted, later) => {
        const { value } = damp(settled(from), wanted, later, rules)
        expect(value).toBeGreaterThanOrEqual(Math.min(from, wanted))
        expect(value).toBeLessThanOrEqual(1)
        expect(Math.abs(value - from)).toBeLessThanOrEqual(0.5 + 1e-9)
      }),
    )
  })

  it('starts where it is told', () => {
    expect(undamped(0.4, 7)).toEqual({ value: 0.4, allowance: 1, at: 7 })
  })
})
