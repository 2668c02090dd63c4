import { keyOf, type Answer, type DnsRecord, type Outcome, type Question } from './records.ts'

export interface AnswerAges {
  /** Answers live as long as the name server says, within these bounds. */
  readonly leastMs: number
  readonly mostMs: number
  /** How long a good answer outlives its time where no other can be had. */
  readonly staleMs: number
  /** How long "there is no such address" is believed, where the name server says no less. */
  readonly noAddressMs: number
  /** The same for SRV and NAPTR: most names have none, and would be asked again and again. */
  readonly noServiceMs: number
  /** After a failure it is asked again so soon. */
  readonly retryMs: number
}

const defaultAges: AnswerAges = {
  leastMs: 1000,
  mostMs: 24 * 60 * 60_000,
  staleMs: 60 * 60_000,
  noAddressMs: 5000,
  noServiceMs: 30_000,
  retryMs: 3000,
}

/** Asked again in the background when so much of the time of an answer is over. */
const REFRESH_AT = 0.8

interface Entry {
  /** Undefined where there was never a good answer, or none for too long. */
  readonly records: readonly DnsRecord[] | undefined
  /** Why the last asking brought nothing; undefined when it brought records. */
  readonly code: string | undefined
  readonly freshUntil: number
  readonly dueAt: number
  readonly goneAt: number
}

/**
 * Answers of name servers. `now` is monotonic milliseconds.
 *
 * A1. A good answer is used until its time is over, and for an hour more when nothing better can be had: a server that fails,
 *     or that denies what it had told, does not make a proxy vanish.
 * A2. Without a good answer, "nothing" and failures are believed for seconds.
 */
export class Answers {
  readonly #entries = new Map<string, Entry>()
  readonly #ages: AnswerAges

  constructor(ages: AnswerAges = defaultAges) {
    this.#ages = ages
  }

  get size(): number {
    return this.#entries.size
  }

  take(question: Question, outcome: Outcome, now: number): void {
    this.#entries.set(
      keyOf(question),
      outcome.kind === 'records' ? this.#good(outcome, now) : this.#bad(question, outcome, now),
    )
  }

  /** What may be used without asking: of a question whose last asking failed, the last good answer too. */
  fresh(question: Question, now: number): Answer | undefined {
    const entry = this.#entries.get(keyOf(question))
    if (entry === undefined || now >= entry.goneAt) return undefined
    const isKept = entry.records !== undefined && entry.code !== undefined
    return now < entry.freshUntil || isKept ? answerOf(entry, now) : undefined
  }

  /** The last that was heard, be it old. */
  last(question: Question, now: number): Answer | undefined {
    const entry = this.#entries.get(keyOf(question))
    return entry === undefined || now >= entry.goneAt ? undefined : answerOf(entry, now)
  }

  /** Whether it should be asked again by now, though there may be an answer. */
  isDue(question: Question, now: number): boolean {
    const entry = this.#entries.get(keyOf(question))
    return entry === undefined || now >= entry.dueAt
  }

  /** Forgets what can be used no more. */
  sweep(now: number): void {
    for (const [key, { goneAt }] of this.#entries) if (now >= goneAt) this.#entries.delete(key)
  }

  #good({ records, ttlMs }: Extract<Outcome, { kind: 'records' }>, now: number): Entry {
    const { leastMs, mostMs, staleMs } = this.#ages
    const livesMs = Math.min(mostMs, Math.max(leastMs, ttlMs))
    const freshUntil = now + livesMs
    return { records, code: undefined, freshUntil, dueAt: now + livesMs * REFRESH_AT, goneAt: freshUntil + staleMs }
  }

  #bad(question: Question, outcome: Exclude<Outcome, { kind: 'records' }>, now: number): Entry {
    const { retryMs, staleMs } = this.#ages
    const { code } = outcome
    const before = this.#entries.get(keyOf(question))
    const waitMs = outcome.kind === 'failed' ? retryMs : this.#nothingMs(question.type, outcome.ttlMs)
    // Its own time goes on: it may still be fresh.
    if (before?.records !== undefined && now < before.goneAt) return { ...before, code, dueAt: now + retryMs }
    return { records: undefined, code, freshUntil: now + waitMs, dueAt: now + waitMs, goneAt: now + waitMs + staleMs }
  }

  #nothingMs(type: Question['type'], ttlMs = Infinity): number {
    const { noAddressMs, noServiceMs, leastMs } = this.#ages
    const mostMs = type === 'SRV' || type === 'NAPTR' ? noServiceMs : noAddressMs
    return Math.min(mostMs, Math.max(leastMs, ttlMs))
  }
}

function answerOf({ records, code = 'ENODATA', freshUntil }: Entry, now: number): Answer {
  return records === undefined ? { kind: 'nothing', code } : { kind: 'records', records, isStale: now >= freshUntil }
}
