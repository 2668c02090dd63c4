export interface BucketSettings {
  readonly perSecond: number
  readonly burst: number
}

/** So many sources are told apart; 60,000 of them are about 8 MB. */
const MOST_SOURCES = 30_000

/**
 * A token bucket for each of many sources, in bounded memory. A bucket is one number: when it will be full again (the virtual
 * scheduling algorithm of ATM, ITU-T I.371). One that is full is the same as none, so sources are kept in two generations, and the
 * older one is forgotten once each bucket in it is full: forgetting gives nobody a token. Only who fills a generation
 * sooner, with more sources than real ones there can be, makes buckets forget: full ones then, so that he locks nobody out.
 */
export class SourceBuckets {
  #settings: BucketSettings
  #young = new Map<string, number>()
  #old = new Map<string, number>()
  #turnAt = 0

  constructor(settings: BucketSettings) {
    this.#settings = settings
  }

  configure(settings: BucketSettings): void {
    this.#settings = settings
  }

  /** How many sources are remembered. */
  get size(): number {
    return this.#young.size + this.#old.size
  }

  /** Whether there is a token; it stays. */
  has(source: string, now: number): boolean {
    return this.#fullAt(source, now) - now <= this.#fillMs - this.#tokenMs
  }

  /** Whether there was a token; it is taken. */
  take(source: string, now: number): boolean {
    if (!this.has(source, now)) return false
    this.#turn(now)
    this.#young.set(source, this.#fullAt(source, now) + this.#tokenMs)
    return true
  }

  get #tokenMs(): number {
    return 1000 / this.#settings.perSecond
  }

  /** From empty to full. */
  get #fillMs(): number {
    return this.#tokenMs * this.#settings.burst
  }

  #fullAt(source: string, now: number): number {
    return Math.max(now, this.#young.get(source) ?? this.#old.get(source) ?? now)
  }

  #turn(now: number): void {
    if (now < this.#turnAt && this.#young.size < MOST_SOURCES) return
    this.#old = this.#young
    this.#young = new Map()
    this.#turnAt = now + this.#fillMs
  }
}
