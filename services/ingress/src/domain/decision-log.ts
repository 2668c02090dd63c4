import type { Candidate } from '@siplb/contracts'

/** One decision while it is remembered; `at` is monotonic milliseconds. */
export interface Decided {
  readonly callId: string
  readonly method: string
  readonly at: number
  readonly source: 'location' | 'local' | 'token'
  readonly pool: string
  readonly epoch: number
  readonly seq: number
  readonly candidates: readonly Candidate[]
  tried: readonly { readonly proxy: string; outcome: string }[]
}

const KEPT_MS = 60_000
const MOST = 100_000
const MOST_TRIED = 16

/** The decisions of the last minute, for whoever asks why a call went where it went. */
export class DecisionLog {
  readonly #byCall = new Map<string, readonly Decided[]>()
  #count = 0

  add(decided: Decided): void {
    this.#forget(decided.at)
    const known = this.#byCall.get(decided.callId)
    // To the end, so that the call that was silent for longest stands first.
    if (known !== undefined) this.#byCall.delete(decided.callId)
    // `concat` makes lists of exactly their length: those that grow in place, spread ones too, reserve for seventeen.
    this.#byCall.set(decided.callId, known === undefined ? [decided] : known.concat(decided))
    this.#count += 1
  }

  tried(decided: Decided, proxy: string): void {
    if (decided.tried.length < MOST_TRIED) decided.tried = decided.tried.concat({ proxy, outcome: 'waiting' })
  }

  ended(decided: Decided, proxy: string, outcome: string): void {
    const entry = decided.tried.findLast((one) => one.proxy === proxy)
    if (entry !== undefined) entry.outcome = outcome
  }

  find(callId: string): readonly Decided[] {
    return this.#byCall.get(callId) ?? []
  }

  // A Map keeps the order of insertion.
  #forget(now: number): void {
    for (const [callId, list] of this.#byCall) {
      const newest = list.at(-1)?.at ?? 0
      if (newest > now - KEPT_MS && this.#count < MOST) return
      this.#byCall.delete(callId)
      this.#count -= list.length
    }
  }
}
