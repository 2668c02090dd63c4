import { bucketOf, bucketValueMs } from '@siplb/contracts'

/** Between two looks at all of them. */
const STEP = 20

/** The newest first-response times of one proxy, for its 99th percentile. Older ones fade: each full window halves the counts. */
export class FirstResponses {
  readonly #buckets = new Map<number, number>()
  #count = 0
  #p99Ms: number | undefined
  /** Of the count, after which it is worked out anew. */
  #staleAt = 0

  add(ms: number): void {
    const bucket = bucketOf(ms)
    this.#buckets.set(bucket, (this.#buckets.get(bucket) ?? 0) + 1)
    this.#count += 1
    if (this.#count >= 1000) this.#fade()
  }

  /** Undefined on fewer than 50 responses. */
  p99Ms(): number | undefined {
    if (this.#count < 50) return undefined
    if (this.#count >= this.#staleAt) {
      this.#p99Ms = this.#highest(0.01)
      this.#staleAt = this.#count + STEP
    }
    return this.#p99Ms
  }

  #highest(part: number): number | undefined {
    let above = this.#count * part
    const falling = [...this.#buckets].sort(([a], [b]) => b - a)
    for (const [bucket, count] of falling) {
      above -= count
      if (above <= 0) return bucketValueMs(bucket)
    }
    return undefined
  }

  #fade(): void {
    this.#count = 0
    this.#staleAt = 0
    for (const [bucket, count] of this.#buckets) {
      const kept = count >> 1
      if (kept === 0) this.#buckets.delete(bucket)
      else this.#buckets.set(bucket, kept)
      this.#count += kept
    }
  }
}
