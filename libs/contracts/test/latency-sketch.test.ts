import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { latencySketch, quantileMs, SketchBuilder } from '@siplb/contracts'

function sketchOf(values: readonly number[]) {
  const builder = new SketchBuilder()
  for (const value of values) builder.add(value)
  return builder.take()
}

const milliseconds = fc.double({ min: 0.05, max: 600_000, noNaN: true })

describe('a latency sketch', () => {
  it('tells every quantile within 5 %', () => {
    fc.assert(
      fc.property(
        fc.array(milliseconds, { minLength: 1, maxLength: 300 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, q) => {
          const exact = values.toSorted((a, b) => a - b)[Math.floor(q * (values.length - 1))] ?? Number.NaN
          const told = quantileMs(sketchOf(values), q) ?? Number.NaN
          expect(Math.abs(told - exact)).toBeLessThanOrEqual(0.05 * exact)
        },
      ),
      { numRuns: 500 },
    )
  })

  it('knows count, sum and maximum exactly, and fits the contract', () => {
    fc.assert(
      fc.property(fc.array(milliseconds, { maxLength: 300 }), (values) => {
        const sketch = sketchOf(values)
        expect(latencySketch.parse(sketch)).toEqual(sketch)
        expect(sketch.count).toBe(values.length)
        expect(sketch.maxMs).toBe(Math.max(0, ...values))
        expect(sketch.sumMs).toBeCloseTo(
          values.reduce((sum, value) => sum + value, 0),
          3,
        )
      }),
    )
  })

  it('never tells more than the maximum', () => {
    expect(quantileMs(sketchOf([100]), 1)).toBeLessThanOrEqual(100)
  })

  it('has room for what is below its smallest bucket', () => {
    expect(quantileMs(sketchOf([0, 0.001]), 0.5)).toBeLessThanOrEqual(0.05)
  })

  it('has no quantile without values', () => {
    expect(quantileMs(sketchOf([]), 0.5)).toBeUndefined()
  })

  it('starts anew when it was taken', () => {
    const builder = new SketchBuilder()
    builder.add(5)
    builder.take()
    expect(builder.take()).toEqual({ count: 0, sumMs: 0, maxMs: 0, buckets: [] })
  })
})
