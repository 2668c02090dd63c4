import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { loadFactor, relativeToBest } from '../src/factors/load-factor.ts'

const rules = { target: 0.7, floor: 0.02 }
const part = fc.double({ min: 0, max: 1, noNaN: true })

describe('the load factor', () => {
  it('is 1 up to the target and the floor at load 1', () => {
    expect([0, 0.5, 0.7].map((load) => loadFactor(load, rules))).toEqual([1, 1, 1])
    expect(loadFactor(1, rules)).toBe(0.02)
    expect(loadFactor(0.85, rules)).toBeCloseTo(0.51, 2)
  })

  it('never gives more for a higher load, and stays within floor and 1', () => {
    fc.assert(
      fc.property(part, part, fc.double({ min: 0, max: 1, noNaN: true }), (a, b, target) => {
        const [low, high] = [Math.min(a, b), Math.max(a, b)].map((load) => loadFactor(load, { target, floor: 0.02 }))
        expect(high).toBeLessThanOrEqual(low ?? 0)
        expect(high).toBeGreaterThanOrEqual(0.02)
        expect(low).toBeLessThanOrEqual(1)
      }),
    )
  })

  it('counts wholly while somebody has room', () => {
    expect(relativeToBest(0.3, 1)).toBe(0.3)
  })

  it('hardly differs between proxies that are all full', () => {
    const [a, b] = [loadFactor(0.98, rules), loadFactor(1, rules)]
    expect(a / b).toBeGreaterThan(4)
    expect(relativeToBest(a, a) / relativeToBest(b, a)).toBeLessThan(1.1)
  })

  it('keeps the order of proxies, and the factor of the best', () => {
    const factor = fc.double({ min: 0.02, max: 1, noNaN: true })
    fc.assert(
      fc.property(factor, factor, factor, (x, y, z) => {
        const best = Math.max(x, y, z)
        expect(relativeToBest(best, best)).toBeCloseTo(best, 10)
        expect(relativeToBest(Math.min(x, y), best)).toBeLessThanOrEqual(relativeToBest(Math.max(x, y), best))
        expect(relativeToBest(x, best)).toBeGreaterThan(0)
      }),
    )
  })
})
