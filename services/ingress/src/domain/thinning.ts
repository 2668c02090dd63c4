import type { Asked } from './overload-control.ts'
import type { RequestClass } from './request-class.ts'

/** Requests in a row beyond the even spacing of a rate, by class: the higher one fills a bucket further (RFC 7415, 3.5.2). */
const BURST: Readonly<Record<RequestClass, number>> = { untrusted: 2, trusted: 6, emergency: Infinity }
/** How many more than it asked for a proxy can be owed. */
const MOST_OWED = 10

interface Bucket {
  /** Milliseconds that the requests so far are ahead of the rate. */
  fill: number
  at: number
}

/**
 * Leaves out a part of the requests of each proxy that asks for less. A loss by error diffusion, not by a coin: over any number
 * of requests the part is exact to one. A rate by the leaky bucket of RFC 7415, 3.5.1.
 */
export class Thinning {
  readonly #owed = new Map<string, number>()
  readonly #buckets = new Map<string, Bucket>()

  /** Whether a request that is meant for this proxy may go there. @param share of a rate that was told to all ingresses together */
  takes(proxy: string, asked: Asked, share: number, requestClass: RequestClass, now: number): boolean {
    if (asked.algorithm === 'rate') return this.#takesRate(proxy, asked.value * share, BURST[requestClass], now)
    const owed = (this.#owed.get(proxy) ?? 0) + asked.value / 100
    this.#owed.set(proxy, owed >= 1 ? owed - 1 : owed)
    return owed < 1
  }

  /** One went there though it would not have had to be taken: another one is left out for it. */
  went(proxy: string, asked: Asked, share: number, now: number): void {
    if (asked.algorithm === 'rate') this.#takesRate(proxy, asked.value * share, Infinity, now)
    else this.#owed.set(proxy, Math.min((this.#owed.get(proxy) ?? 0) + asked.value / 100, MOST_OWED))
  }

  keepOnly(proxies: ReadonlySet<string>): void {
    for (const proxy of this.#owed.keys()) if (!proxies.has(proxy)) this.#owed.delete(proxy)
    for (const proxy of this.#buckets.keys()) if (!proxies.has(proxy)) this.#buckets.delete(proxy)
  }

  #takesRate(proxy: string, perSecond: number, burst: number, now: number): boolean {
    if (perSecond <= 0) return burst === Infinity
    const eachMs = 1000 / perSecond
    const bucket = this.#bucketOf(proxy, now)
    const fill = Math.max(0, bucket.fill - (now - bucket.at))
    if (fill > burst * eachMs) return false
    // Emergency calls count as well, but must not keep others out for long.
    bucket.fill = Math.min(fill + eachMs, MOST_OWED * eachMs)
    bucket.at = now
    return true
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
