import type { RetryConfig } from '@siplb/contracts'

/**
 * A token bucket that bounds how much traffic failover may add (Finagle's RetryBudget): without it, a pool in trouble would get
 * every request several times.
 */
export class RetryBudget {
  #settings: RetryConfig
  #tokens: number
  #at: number
  #requestsPerSecond = 0

  constructor(now: number, settings: RetryConfig) {
    this.#settings = settings
    this.#at = now
    this.#tokens = settings.leastCapacity
  }

  /** What is saved up stays, as far as the bucket still holds it. */
  configure(settings: RetryConfig): void {
    this.#settings = settings
    this.#add(0)
  }

  /** A new request was taken. */
  earn(now: number): void {
    const seconds = this.#advance(now)
    // Rate over about ten seconds, without keeping the requests.
    this.#requestsPerSecond = this.#requestsPerSecond * Math.exp(-seconds / 10) + 0.1
    this.#add(this.#settings.perRequest)
  }

  /** Whether one more retry may be made; it is then paid. */
  take(now: number): boolean {
    this.#advance(now)
    if (this.#tokens < 1) return false
    this.#tokens -= 1
    return true
  }

  #advance(now: number): number {
    const seconds = Math.max(0, now - this.#at) / 1000
    this.#at = Math.max(now, this.#at)
    this.#add(seconds * this.#settings.perSecond)
    return seconds
  }

  #add(tokens: number): void {
    const { perRequest, perSecond, savedSeconds, leastCapacity } = this.#settings
    const earnedPerSecond = this.#requestsPerSecond * perRequest + perSecond
    this.#tokens = Math.min(this.#tokens + tokens, Math.max(leastCapacity, earnedPerSecond * savedSeconds))
  }
}
