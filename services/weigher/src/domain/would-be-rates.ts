import type { Traffic } from '@siplb/contracts'

/** As long as the real rate is taken over. */
const RATE_MS = 4000

interface Report {
  readonly at: number
  readonly counts: ReadonlyMap<string, number>
}

/** Requests per second that the shadow of a pool would have sent to each proxy, by what the ingresses counted of late. */
export class WouldBeRates {
  #reports: Report[] = []

  /** A report without such counts comes from an ingress that has not heard of the shadow yet. */
  heard({ proxies }: Traffic, now: number): void {
    this.#forget(now)
    const counted = proxies.filter(({ shadow }) => shadow !== undefined)
    if (counted.length === 0) return
    this.#reports.push({ at: now, counts: new Map(counted.map(({ proxy, shadow = 0 }) => [proxy, shadow])) })
  }

  /** By proxy; undefined while no ingress counts. */
  at(now: number): ((proxy: string) => number) | undefined {
    const reports = this.#reports.filter(({ at }) => now - at < RATE_MS)
    if (reports.length === 0) return undefined
    const countOf = (proxy: string) => reports.reduce((sum, { counts }) => sum + (counts.get(proxy) ?? 0), 0)
    return (proxy) => Number((countOf(proxy) / (RATE_MS / 1000)).toPrecision(3))
  }

  #forget(now: number): void {
    const first = this.#reports.findIndex(({ at }) => now - at < RATE_MS)
    if (first !== 0) this.#reports = first < 0 ? [] : this.#reports.slice(first)
  }
}
