import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  asConfigured,
  capacityOf,
  learnCapacities,
  learned,
  type CapacityEvidence,
} from '../src/factors/capacity-factor.ts'

const rules = { toleranceMs: 5, deadBand: 0.05, memoryMs: 600_000 }

const proxy = (slopeMs: number, more: Partial<CapacityEvidence> = {}, delayMs = 20): CapacityEvidence => ({
  baseWeight: 100,
  fit: { cost: 0.6, slopeMs, errorMs: slopeMs * 0.01, delayMs },
  learned: asConfigured(0),
  ...more,
})

/** What is believed after the same evidence for a minute. */
function settled(tier: readonly CapacityEvidence[]): number[] {
  let now = 0
  let all = tier
  for (; now <= 60_000; now += 250) {
    const next = learnCapacities(all, now, rules)
    all = all.map((one, i) => ({ ...one, learned: next[i] ?? one.learned }))
  }
  return all.map((one) => capacityOf(one.learned))
}

const slope = fc.double({ min: 0.1, max: 500, noNaN: true })

describe('the learned capacity', () => {
  it('is what each proxy can take, against its base weight, and preserves the sum', () => {
    const found = settled([proxy(40), proxy(20), proxy(10)])
    expect(found[0]).toBeCloseTo(3 / 7, 1)
    expect(found[1]).toBeCloseTo(6 / 7, 1)
    expect(found[2]).toBeCloseTo(12 / 7, 1)
    expect(found.reduce((sum, one) => sum + one, 0)).toBeCloseTo(3, 1)
  })

  it('is exactly 1 for proxies that are alike, and for those whose base weights say it already', () => {
    expect(settled([proxy(20), proxy(21), proxy(19.5)])).toEqual([1, 1, 1])
    expect(settled([proxy(40, { baseWeight: 50 }), proxy(20, { baseWeight: 100 })])).toEqual([1, 1])
  })

  it('learns nothing while nobody waits, however they differ', () => {
    expect(settled([proxy(4, {}, 1), proxy(0.2, {}, 1)])).toEqual([1, 1])
  })

  it('does not believe a departure that may be chance', () => {
    const unsure = { cost: 0.6, slopeMs: 13, errorMs: 4, delayMs: 20 }
    expect(settled([proxy(20, { fit: unsure }), proxy(20), proxy(20)])[0]).toBe(1)
  })

  it('needs two to compare, and leaves alone those without figures', () => {
    expect(settled([proxy(40), proxy(20, { fit: undefined })])).toEqual([1, 1])
    const [, , unknown] = settled([proxy(40), proxy(10), proxy(20, { fit: undefined })])
    expect(unknown).toBe(1)
  })

  it('is kept when nobody waits any more, and fades over its memory', () => {
    const quiet = [proxy(40, { learned: learned(0.5, 0) }, 1), proxy(20, {}, 1)]
    expect(learnCapacities(quiet, 60_000, rules).map(capacityOf)[0]).toBeCloseTo(0.53, 1)
    expect(learnCapacities(quiet, 3_600_000, rules).map(capacityOf)[0]).toBe(1)
  })

  it('falls with the slope, and keeps within its bounds', () => {
    fc.assert(
      fc.property(slope, slope, fc.array(slope, { minLength: 1, maxLength: 5 }), (a, b, others) => {
        const [quick, slow] = [Math.min(a, b), Math.max(a, b)]
        const with_ = (ms: number) => settled([proxy(ms), ...others.map((one) => proxy(one))])[0] ?? 0
        expect(with_(quick)).toBeGreaterThanOrEqual(with_(slow) - 1e-9)
        for (const one of [with_(quick), with_(slow)]) {
          expect(one).toBeGreaterThanOrEqual(1 / 16.01)
          expect(one).toBeLessThanOrEqual(16.01)
        }
      }),
      { numRuns: 20 },
    )
  })
})

it('a stored capacity is never taken for none, nor for more than can be learned', () => {
  expect(capacityOf(learned(0, 0))).toBeCloseTo(1 / 16)
  expect(capacityOf(learned(1e9, 0))).toBeCloseTo(16)
})

it('a slope beyond what numbers hold leaves no NaN behind, at nobody', () => {
  const tier = [
    proxy(Number.MIN_VALUE, { fit: { cost: 0.6, slopeMs: 0, errorMs: Number.MIN_VALUE, delayMs: 20 } }),
    proxy(1),
  ]
  for (const { log } of learnCapacities(tier, 250, rules)) expect(log).not.toBeNaN()
})
