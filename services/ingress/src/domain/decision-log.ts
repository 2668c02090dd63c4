import type { Candidate } from '@siplb/contracts'
import { tagHash } from './route-token.ts'

export interface Tried {
  readonly proxy: string
  readonly outcome: string
}

/** What was decided for one request; `at` is monotonic milliseconds. */
export interface Decision {
  readonly callId: string
  readonly method: string
  readonly at: number
  readonly source: 'location' | 'local' | 'token'
  readonly pool: string
  readonly epoch: number
  readonly seq: number
  readonly candidates: readonly Candidate[]
}

const none: readonly never[] = []
const MOST_TRIED = 16

/** A decision while it is remembered, and how it went. There are very many: what most have one of needs no list. */
export class Decided implements Decision {
  readonly callId: string
  readonly method: string
  readonly at: number
  readonly source: Decision['source']
  readonly pool: string
  readonly epoch: number
  readonly seq: number
  readonly candidates: readonly Candidate[]
  #proxy: string | undefined
  #outcome = 'waiting'
  #later: readonly Tried[] = none

  constructor({ callId, method, at, source, pool, epoch, seq, candidates }: Decision) {
    this.callId = callId
    this.method = method
    this.at = at
    this.source = source
    this.pool = pool
    this.epoch = epoch
    this.seq = seq
    this.candidates = candidates.length === 0 ? none : candidates
  }

  /** In their order; no more than the first sixteen. */
  get tried(): readonly Tried[] {
    return this.#proxy === undefined ? none : [{ proxy: this.#proxy, outcome: this.#outcome }, ...this.#later]
  }

  triedAt(proxy: string): void {
    if (this.#proxy === undefined) this.#proxy = proxy
    else if (this.#later.length < MOST_TRIED - 1) this.#later = this.#later.concat({ proxy, outcome: 'waiting' })
  }

  endedAt(proxy: string, outcome: string): void {
    const place = this.#later.findLastIndex((one) => one.proxy === proxy)
    if (place >= 0) this.#later = this.#later.with(place, { proxy, outcome })
    else if (this.#proxy === proxy) this.#outcome = outcome
  }
}

const KEPT_MS = 60_000
const MOST = 100_000
/** A power of two. */
const HEADS = 65_536

/**
 * The decisions of the last minute, for whoever asks why a call went where it went.
 *
 * A ring of them, by number. Those whose Call-IDs have the same hash are chained from the newest on; a chain ends at the first that is not
 * kept any more, so nothing is unchained when one is forgotten.
 */
export class DecisionLog {
  readonly #ring: (Decided | undefined)[] = Array.from({ length: MOST })
  readonly #before = new Float64Array(MOST)
  readonly #newest = new Float64Array(HEADS).fill(-1)
  #oldest = 0
  #next = 0

  add(decided: Decided): void {
    this.#forget(decided.at)
    const place = this.#next % MOST
    const head = headOf(decided.callId)
    this.#ring[place] = decided
    this.#before[place] = this.#newest[head] ?? -1
    this.#newest[head] = this.#next
    this.#next += 1
  }

  /** In the order in which they were made. */
  find(callId: string): readonly Decided[] {
    const found: Decided[] = []
    for (let number = this.#newest[headOf(callId)] ?? -1; number >= this.#oldest;) {
      const decided = this.#ring[number % MOST]
      if (decided?.callId === callId) found.push(decided)
      number = this.#before[number % MOST] ?? -1
    }
    return found.reverse()
  }

  #forget(now: number): void {
    while (this.#oldest < this.#next) {
      const place = this.#oldest % MOST
      if ((this.#ring[place]?.at ?? 0) > now - KEPT_MS && this.#next - this.#oldest < MOST) return
      this.#ring[place] = undefined
      this.#oldest += 1
    }
  }
}

function headOf(callId: string): number {
  return tagHash(callId) & (HEADS - 1)
}
