import { choiceAt, type Candidate, type ChoicesAhead, type Routed } from '@siplb/contracts'

/** Which table something was drawn from. */
export interface Revision {
  readonly epoch: number
  readonly seq: number
}

/** Requests are counted by windows of this length. */
const WINDOW_MS = 100

/** What one answer of location held, and how far it is used. */
interface Batch {
  readonly given: ChoicesAhead
  readonly expiresAt: number
  next: number
}

/**
 * Choices of one pool that location drew for requests to come. Each is used once, in the order in which they were drawn, and none is
 * left out: smooth round robin is exact only as a whole. All die with age, and at once when a newer table is there, for then a proxy
 * may be gone.
 */
export class ChoiceStock {
  #batches: Batch[] = []
  #windowAt = Number.NEGATIVE_INFINITY
  #inWindow = 0
  #perWindow = 0

  /** Counts a request, and gives it its choice where there is one. `newest` is the table that the ingress itself has. */
  take(newest: Revision | undefined, now: number): Omit<Routed, 'id'> | undefined {
    this.#count(now)
    this.#dropDead(newest, now)
    const [batch] = this.#batches
    if (batch === undefined) return undefined
    const candidates = candidatesOf(batch)
    if (candidates === undefined) return undefined
    batch.next += 1
    const { pool, epoch, seq, policy, pick } = batch.given
    return { outcome: 'routed', pool, epoch, seq, policy, pick, candidates }
  }

  fill(given: ChoicesAhead, now: number): void {
    this.#batches.push({ given, expiresAt: now + given.ttlMs, next: 0 })
  }

  /** How many to ask for so that `forMs` to come are covered; 0 while what there is lasts for half of that. */
  wanted(forMs: number, newest: Revision | undefined, now: number): number {
    if (now - this.#windowAt >= 2 * WINDOW_MS) return 0
    this.#dropDead(newest, now)
    const needed = Math.ceil((this.#perWindow * forMs) / WINDOW_MS)
    const left = this.#batches.reduce((sum, { given, next }) => sum + countOf(given) - next, 0)
    // One now and then is asked for by itself: what is drawn when it is needed is the fresher.
    return needed < 3 || left > needed / 2 ? 0 : needed - left
  }

  #dropDead(newest: Revision | undefined, now: number): void {
    const isDead = ({ given, expiresAt, next }: Batch) =>
      next >= countOf(given) || now >= expiresAt || (newest !== undefined && isOlder(given, newest))
    if (this.#batches.some(isDead)) this.#batches = this.#batches.filter((batch) => !isDead(batch))
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

function countOf({ choices, compact }: ChoicesAhead): number {
  return compact?.indexes.length ?? choices.length
}

function candidatesOf({ given: { choices, compact }, next }: Batch): Candidate[] | undefined {
  if (compact === undefined) return choices[next]
  const places = compact.indexes[next]
  return places && choiceAt(compact, places)
}

function isOlder(one: Revision, other: Revision): boolean {
  return one.epoch < other.epoch || (one.epoch === other.epoch && one.seq < other.seq)
}
