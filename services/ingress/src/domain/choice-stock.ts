import type { ChoicesAhead, Routed } from '@siplb/contracts'

/** Which table something was drawn from. */
export interface Revision {
  readonly epoch: number
  readonly seq: number
}

/** Requests are counted by windows of this length. */
const WINDOW_MS = 100

/**
 * Choices of one pool that location drew for requests to come. Each is used once, in their order; all die with age, and at once
 * when a newer table is there, for then a proxy may be gone.
 */
export class ChoiceStock {
  #given: ChoicesAhead | undefined
  #expiresAt = 0
  #next = 0
  #windowAt = Number.NEGATIVE_INFINITY
  #inWindow = 0
  #perWindow = 0

  /** Counts a request, and gives it its choice where there is one. `newest` is the table that the ingress itself has. */
  take(newest: Revision | undefined, now: number): Omit<Routed, 'id'> | undefined {
    this.#count(now)
    if (!this.#isFresh(newest, now)) return undefined
    const candidates = this.#given?.choices[this.#next]
    if (this.#given === undefined || candidates === undefined) return undefined
    this.#next += 1
    const { pool, epoch, seq, policy, pick } = this.#given
    return { outcome: 'routed', pool, epoch, seq, policy, pick, candidates }
  }

  fill(given: ChoicesAhead, now: number): void {
    this.#given = given
    this.#expiresAt = now + given.ttlMs
    this.#next = 0
  }

  /** How many to ask for so that `forMs` to come are covered; 0 while what there is lasts as long as half of that. */
  wanted(forMs: number, newest: Revision | undefined, now: number): number {
    if (now - this.#windowAt >= 2 * WINDOW_MS) return 0
    const needed = (this.#perWindow * forMs) / WINDOW_MS
    const left = this.#isFresh(newest, now) ? (this.#given?.choices.length ?? 0) - this.#next : 0
    // One now and then is asked for by itself: what is drawn when it is needed is the fresher.
    return needed < 3 || left > needed / 2 ? 0 : Math.ceil(needed)
  }

  #isFresh(newest: Revision | undefined, now: number): boolean {
    if (this.#given === undefined || now >= this.#expiresAt) return false
    return newest === undefined || !isOlder(this.#given, newest)
  }

  #count(now: number): void {
    if (now - this.#windowAt >= WINDOW_MS) {
      this.#perWindow = now - this.#windowAt < 2 * WINDOW_MS ? this.#inWindow : 0
      this.#windowAt = now
      this.#inWindow = 0
    }
    this.#inWindow += 1
  }
}

function isOlder(one: Revision, other: Revision): boolean {
  return one.epoch < other.epoch || (one.epoch === other.epoch && one.seq < other.seq)
}
