import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { effectiveWeight } from '../src/factors/effective-weight.ts'
import { faultFactor } from '../src/factors/fault-factor.ts'
import { lowerMedian } from '../src/signals/median.ts'
import { refusalFactors } from '../src/factors/refusal-factor.ts'
import { elapsedAt, slowStart } from '../src/factors/slow-start.ts'

const part = fc.double({ min: 0, max: 1, noNaN: true })

describe('the fault factor', () => {
  it('is exactly 1 up to one fault in ten, and the floor from every second', () => {
    expect([0, 0.05, 0.1].map((rate) => faultFactor(rate, 0.02))).toEqual([1, 1, 1])
    expect([0.5, 0.9, 1].map((rate) => faultFactor(rate, 0.02))).toEqual([0.02, 0.02, 0.02])
  })

  it('never gives more for more faults, and stays within floor and 1', () => {
    fc.assert(
      fc.property(part, part, (a, b) => {
        expect(faultFactor(Math.max(a, b), 0.02)).toBeLessThanOrEqual(faultFactor(Math.min(a, b), 0.02))
        expect(faultFactor(a, 0.02)).toBeGreaterThanOrEqual(0.02)
        expect(faultFactor(a, 0.02)).toBeLessThanOrEqual(1)
      }),
    )
  })
})

describe('the refusal factor', () => {
  const seen = (requests: number, refusals: number) => ({ requests, refusals })

  it('halves a proxy that refuses what the others accept', () => {
    expect(refusalFactors([seen(100, 95), seen(100, 4), seen(100, 6)])).toEqual([0.5, 1, 1])
  })

  it('waits for thirty requests', () => {
    expect(refusalFactors([seen(29, 29), seen(100, 4), seen(100, 6)])).toEqual([1, 1, 1])
  })

  it('lets pools be in which everything is refused, as registrars challenge every second request', () => {
    expect(refusalFactors([seen(100, 55), seen(100, 48), seen(100, 51)])).toEqual([1, 1, 1])
  })

  it('does not take one refusal for a storm where the others have none', () => {
    expect(refusalFactors([seen(100, 20), seen(100, 0), seen(100, 0)])).toEqual([1, 1, 1])
  })

  it('has nothing to compare a lone proxy with', () => {
    expect(refusalFactors([seen(100, 100)])).toEqual([1])
  })
})

describe('the slow start', () => {
  it('gives at most a tenth in the first second of thirty, and everything at their end', () => {
    expect(slowStart(0, 30_000)).toBeLessThanOrEqual(0.1)
    expect(slowStart(1000, 30_000)).toBeLessThanOrEqual(0.1)
    expect(slowStart(30_000, 30_000)).toBe(1)
  })

  it('only grows, and can be taken up at any share', () => {
    fc.assert(
      fc.property(part, part, (a, b) => {
        const [early, late] = [Math.min(a, b) * 30_000, Math.max(a, b) * 30_000]
        expect(slowStart(late, 30_000)).toBeGreaterThanOrEqual(slowStart(early, 30_000))
        expect(elapsedAt(slowStart(late, 30_000), 30_000)).toBeCloseTo(late, 3)
      }),
    )
  })
})

describe('the effective weight', () => {
  it('is exactly the base weight where nothing is held against the proxy', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), (base) => {
        expect(effectiveWeight(base, 1, 0.02)).toBe(base)
      }),
    )
  })

  it('never falls under the floor nor rises over the base weight', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.001, max: 1e6, noNaN: true }), part, (base, factor) => {
        const weight = effectiveWeight(base, factor, 0.02)
        expect(weight).toBeGreaterThanOrEqual(base * 0.02 * 0.999)
        expect(weight).toBeLessThanOrEqual(base * 1.001)
      }),
    )
  })

  it('is readable', () => {
    expect(effectiveWeight(100, 1 / 3, 0.02)).toBe(33.33)
  })
})

describe('the lower median', () => {
  it('is a value of the list, of two the smaller', () => {
    expect(lowerMedian([])).toBeUndefined()
    expect(lowerMedian([9, 2])).toBe(2)
    expect(lowerMedian([9, 2, 5])).toBe(5)
    expect(lowerMedian([9, 2, 5, 7])).toBe(5)
  })
})
