import { z } from 'zod'

/**
 * Many response times in few numbers: counts in buckets whose bounds grow by 10 %, so that any quantile is known within
 * 5 % (DDSketch: Masson, Rim, Lee, VLDB 2019). Bucket i holds the values in (1.1^(i-1), 1.1^i] ms.
 */
const GAMMA = 1.1
const LOG_GAMMA = Math.log(GAMMA)
const SMALLEST_MS = 0.05

export const latencySketch = z.object({
  count: z.int().nonnegative(),
  sumMs: z.number().nonnegative(),
  maxMs: z.number().nonnegative(),
  buckets: z
    .array(z.tuple([z.int(), z.int().positive()]))
    .max(400)
    .describe('[bucket index, count], rising index.'),
})

export type LatencySketch = z.infer<typeof latencySketch>

export function bucketOf(ms: number): number {
  return Math.ceil(Math.log(Math.max(ms, SMALLEST_MS)) / LOG_GAMMA)
}

/** The value that stands for a bucket: within 5 % of everything in it. */
export function bucketValueMs(index: number): number {
  return (2 * GAMMA ** index) / (GAMMA + 1)
}

/** The q-quantile in milliseconds, 0 ≤ q ≤ 1; undefined without values. */
export function quantileMs(sketch: LatencySketch, q: number): number | undefined {
  if (sketch.count === 0) return undefined
  const rank = q * (sketch.count - 1)
  let seen = 0
  for (const [index, count] of sketch.buckets) {
    seen += count
    if (seen > rank) return Math.min(bucketValueMs(index), sketch.maxMs)
  }
  return sketch.maxMs
}

/** Gathers values for one sketch; `take()` hands the sketch out and starts anew. */
export class SketchBuilder {
  #buckets = new Map<number, number>()
  #count = 0
  #sumMs = 0
  #maxMs = 0

  get count(): number {
    return this.#count
  }

  add(ms: number): void {
    const index = bucketOf(ms)
    this.#buckets.set(index, (this.#buckets.get(index) ?? 0) + 1)
    this.#count += 1
    this.#sumMs += ms
    if (ms > this.#maxMs) this.#maxMs = ms
  }

  take(): LatencySketch {
    const buckets = [...this.#buckets].sort(([a], [b]) => a - b)
    const sketch = { count: this.#count, sumMs: this.#sumMs, maxMs: this.#maxMs, buckets }
    this.#buckets = new Map()
    this.#count = 0
    this.#sumMs = 0
    this.#maxMs = 0
    return sketch
  }
}
