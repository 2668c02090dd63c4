import type { Candidate } from '@siplb/contracts'
import { ENTRIES, Page, TimedRing } from './timed-ring.ts'

interface Tried {
  readonly proxy: string
  readonly outcome: string
}

/** What many decisions have in common. */
interface Circumstances {
  readonly method: string
  readonly source: 'location' | 'local' | 'token'
  readonly pool: string
  readonly epoch: number
  readonly seq: number
}

/** What was decided for one request; `at` is monotonic milliseconds. */
export interface Decision extends Circumstances {
  readonly callId: string
  readonly at: number
  readonly candidates: readonly Candidate[]
}

/** With how it went: the proxies in their order, no more than the first sixteen. */
export interface DecisionSoFar extends Decision {
  readonly tried: readonly Tried[]
}

const none: readonly never[] = []
const MOST_TRIED = 16
const KEPT_MS = 60_000
const MOST = 100_000
/** Of a usual Call-ID. */
const OCTETS = 48
/** Methods are texts of strangers. */
const MOST_METHODS = 16

class DecisionPage extends Page {
  /** How often it was used before. */
  uses = 0
  readonly circumstances: (Circumstances | undefined)[] = Array.from({ length: ENTRIES })
  readonly candidates: (readonly Candidate[])[] = Array.from({ length: ENTRIES }, () => none)
  readonly #proxies: (string | undefined)[] = Array.from({ length: ENTRIES })
  readonly #outcomes: string[] = Array.from({ length: ENTRIES }, () => '')
  /** Mostly there is only one, so that there need be no list. */
  readonly #later: (readonly Tried[])[] = Array.from({ length: ENTRIES }, () => none)

  triedAt(place: number, proxy: string): void {
    const later = this.#later[place] ?? none
    if (this.#proxies[place] === undefined) {
      this.#proxies[place] = proxy
      this.#outcomes[place] = 'waiting'
    } else if (later.length < MOST_TRIED - 1) this.#later[place] = later.concat({ proxy, outcome: 'waiting' })
  }

  endedAt(place: number, proxy: string, outcome: string): void {
    const later = this.#later[place] ?? none
    const at = later.findLastIndex((one) => one.proxy === proxy)
    if (at >= 0) this.#later[place] = later.with(at, { proxy, outcome })
    else if (this.#proxies[place] === proxy) this.#outcomes[place] = outcome
  }

  tried(place: number): readonly Tried[] {
    const proxy = this.#proxies[place]
    if (proxy === undefined) return none
    return [{ proxy, outcome: this.#outcomes[place] ?? '' }, ...(this.#later[place] ?? none)]
  }

  /** Not one by one: how it went may be said of a decision that is forgotten, until its page is used again. */
  override clear(): void {
    super.clear()
    this.uses += 1
    this.circumstances.fill(undefined)
    this.candidates.fill(none)
    this.#proxies.fill(undefined)
    this.#later.fill(none)
  }
}

/** Says how a decision went, as long as it is remembered. */
export class Decided {
  readonly #page: DecisionPage
  readonly #place: number
  readonly #uses: number

  constructor(page: DecisionPage, place: number) {
    this.#page = page
    this.#place = place
    this.#uses = page.uses
  }

  triedAt(proxy: string): void {
    if (this.#isKept) this.#page.triedAt(this.#place, proxy)
  }

  endedAt(proxy: string, outcome: string): void {
    if (this.#isKept) this.#page.endedAt(this.#place, proxy, outcome)
  }

  get #isKept(): boolean {
    return this.#page.uses === this.#uses
  }
}

/** The decisions of the last minute, a hundred thousand at most, for whoever asks why a call went where it went. */
export class DecisionLog {
  readonly #ring = new TimedRing({
    keptMs: KEPT_MS,
    most: MOST,
    pageOctets: ENTRIES * OCTETS,
    makePage: (octets) => new DecisionPage(octets),
  })
  readonly #hashOf: (callId: string) => number
  /** One object for all decisions that have them in common. */
  readonly #latest = new Map<string, Circumstances>()

  /** @param hashOf 32 bits, not to be foreseen by who chooses the Call-IDs */
  constructor(hashOf: (callId: string) => number) {
    this.#hashOf = hashOf
  }

  add(decision: Decision): Decided {
    const { callId, at, candidates } = decision
    const page = this.#ring.add(callId, this.#hashOf(callId), at)
    const place = page.last
    page.circumstances[place] = this.#circumstancesOf(decision)
    page.candidates[place] = candidates
    return new Decided(page, place)
  }

  /** In the order in which they were made. */
  find(callId: string, now: number): readonly DecisionSoFar[] {
    return this.#ring.findAll(callId, this.#hashOf(callId), now).flatMap(({ page, place }) => {
      const circumstances = page.circumstances[place]
      if (circumstances === undefined) return []
      const at = page.addedAt(place)
      return [{ ...circumstances, callId, at, candidates: page.candidates[place] ?? none, tried: page.tried(place) }]
    })
  }

  #circumstancesOf({ method, source, pool, epoch, seq }: Decision): Circumstances {
    const latest = this.#latest.get(method)
    const isSame = latest?.source === source && latest.pool === pool && latest.epoch === epoch && latest.seq === seq
    if (isSame) return latest
    if (this.#latest.size >= MOST_METHODS) this.#latest.clear()
    const made = { method, source, pool, epoch, seq }
    this.#latest.set(method, made)
    return made
  }
}
