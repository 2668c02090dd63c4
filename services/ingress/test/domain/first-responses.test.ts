import { describe, expect, it } from 'vitest'
import { FirstResponses } from '../../src/domain/first-responses.ts'

function after(...parts: readonly (readonly [count: number, ms: number])[]): FirstResponses {
  const times = new FirstResponses()
  for (const [count, ms] of parts) for (let i = 0; i < count; i++) times.add(ms)
  return times
}

/** Buckets are 10 % wide, so what comes out is within 5 %. */
function expectNear(actual: number | undefined, ms: number): void {
  expect((actual ?? 0) / ms).toBeGreaterThan(0.95)
  expect((actual ?? 0) / ms).toBeLessThan(1.05)
}

describe('the 99th percentile of first responses', () => {
  it('is not known on fewer than fifty', () => {
    expect(after([49, 10]).p99Ms()).toBeUndefined()
    expectNear(after([50, 10]).p99Ms(), 10)
  })

  it('leaves out the slowest hundredth and no more', () => {
    expectNear(after([195, 10], [5, 800]).p99Ms(), 800)
    expectNear(after([199, 10], [1, 800]).p99Ms(), 10)
  })

  it('forgets a slow time after a few thousand quick ones', () => {
    expectNear(after([900, 800]).p99Ms(), 800)
    expectNear(after([900, 800], [8000, 10]).p99Ms(), 10)
  })
})
