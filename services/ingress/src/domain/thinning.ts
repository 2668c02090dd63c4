import { EvenPart } from './even-part.ts'
import type { Asked } from './overload-control.ts'
import type { RequestClass } from './request-class.ts'

/** Requests in a row beyond the even spacing of a rate, by class: the higher one fills a bucket further (RFC 7415, 3.5.2). */
const BURST: Readonly<Record<RequestClass, number>> = { untrusted: 2, trusted: 6, emergency: Infinity }
/** What emergency calls may add to the bucket: they count, but must not keep others out for long. */
const MOST_FILLED = 10

interface Bucket {
  /** Requests that those so far are ahead of the rate: not milliseconds, which a rate that rises would leave behind for long. */
  fill: number
  at: number
}

/**
 * Leaves out a part of the requests of each proxy that asks for less: a loss evenly, a rate by the leaky bucket of RFC 7415, 3.5.1.
 */
export class Thinning {
  readonly #random: () => number
  readonly #parts = new Map<string, EvenPart>()
  readonly #buckets = new Map<string, Bucket>()

  constructor(random: () => number) {
    this.#random = random
  }

  /** Whether a request that is meant for this proxy may go there. @param share of a rate that was told to all ingresses together */
  takes(proxy: string, asked: Asked, share: number, requestClass: RequestClass, now: number): boolean {
    if (asked.algorithm === 'rate') return this.#takesRate(proxy, asked.value * share, BURST[requestClass], now)
    return !this.#partOf(proxy).takesOut(asked.value / 100)
  }

  /** One went there though it would not have had to be taken: another one is left out for it. */
  went(proxy: string, asked: Asked, share: number, now: number): void {
    if (asked.algorithm === 'rate') this.#takesRate(proxy, asked.value * share, Infinity, now)
    else this.#partOf(proxy).owe(asked.value / 100)
  }

  keepOnly(isListed: (proxy: string) => boolean): void {
    for (const proxy of this.#parts.keys()) if (!isListed(proxy)) this.#parts.delete(proxy)
    for (const proxy of this.#buckets.keys()) if (!isListed(proxy)) this.#buckets.delete(proxy)
  }

  #takesRate(proxy: string, perSecond: number, burst: number, now: number): boolean {
    if (perSecond <= 0) return burst === Infinity
    const bucket = this.#bucketOf(proxy, now)
    const fill = Math.max(0, bucket.fill - ((now - bucket.at) * perSecond) / 1000)
    if (fill > burst) return false
    bucket.fill = Math.min(fill + 1, MOST_FILLED)
    bucket.at = now
    return true
  }

  #partOf(proxy: string): EvenPart {
    let part = this.#parts.get(proxy)
    if (part === undefined) {
      part = new EvenPart(this.#random)
      this.#parts.set(proxy, part)
    }
    return part
  }

  #bucketOf(proxy: string, now: number): Bucket {
    let bucket = this.#buckets.get(proxy)
    if (bucket === undefined) {
      bucket = { fill: 0, at: now }
      this.#buckets.set(proxy, bucket)
    }
    return bucket
  }
}
