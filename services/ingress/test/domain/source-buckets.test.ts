import { describe, expect, it } from 'vitest'
import { SourceBuckets } from '../../src/domain/source-buckets.ts'

/** How many of so many tries find a token. */
function taken(buckets: SourceBuckets, source: string, tries: number, now: number): number {
  let count = 0
  for (let i = 0; i < tries; i++) if (buckets.take(source, now)) count += 1
  return count
}

describe('the buckets of sources', () => {
  it('let a burst through, then the rate, and the burst again after a pause', () => {
    const buckets = new SourceBuckets({ perSecond: 10, burst: 20 })
    expect(taken(buckets, 'a', 100, 0)).toBe(20)
    expect(taken(buckets, 'a', 100, 1000)).toBe(10)
    expect(taken(buckets, 'a', 100, 1099)).toBe(0)
    expect(taken(buckets, 'a', 100, 60_000)).toBe(20)
  })

  it('are one for each source', () => {
    const buckets = new SourceBuckets({ perSecond: 10, burst: 20 })
    expect([taken(buckets, 'a', 100, 0), taken(buckets, 'b', 100, 0)]).toEqual([20, 20])
  })

  it('forget nobody who could gain by it', () => {
    const buckets = new SourceBuckets({ perSecond: 10, burst: 20 })
    let count = 0
    for (let now = 0; now < 60_000; now += 7) if (buckets.take('a', now)) count += 1
    expect(count).toBeGreaterThanOrEqual(600)
    expect(count).toBeLessThanOrEqual(620)
  })

  it('hold a source that spares its tokens for a time, and comes back before the bucket is full', () => {
    const buckets = new SourceBuckets({ perSecond: 10, burst: 20 })
    taken(buckets, 'a', 20, 0)
    for (let now = 100; now < 1500; now += 100) taken(buckets, 'b', 1, now)
    expect(taken(buckets, 'a', 100, 1500)).toBe(15)
    expect(taken(buckets, 'a', 100, 2100)).toBe(6)
  })

  it('take no more memory for any number of sources, and lock out nobody for it', () => {
    const buckets = new SourceBuckets({ perSecond: 1, burst: 5 })
    for (let i = 0; i < 500_000; i++) buckets.take(`10.0.${i >> 8}.${i & 255}`, i / 1000)
    expect(buckets.size).toBeLessThanOrEqual(60_000)
    expect(taken(buckets, '192.0.2.1', 100, 500)).toBe(5)
  })

  it('go on as they are when the settings change', () => {
    const buckets = new SourceBuckets({ perSecond: 10, burst: 20 })
    taken(buckets, 'a', 20, 0)
    buckets.configure({ perSecond: 100, burst: 10 })
    expect(taken(buckets, 'a', 100, 0)).toBe(0)
    expect(taken(buckets, 'a', 100, 60_000)).toBe(10)
  })
})
