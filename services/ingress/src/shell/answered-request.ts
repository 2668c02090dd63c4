import { ENTRIES, Page } from '../domain/timed-ring.ts'
import type { WayBack } from './arrival.ts'
import type { ServerSide } from './server-transaction.ts'

/**
 * A request is sent eleven times at most (RFC 3261, 17.1.2.2), and some copies are made on the way. A source address of UDP is
 * anybody's word, and without a bound one request that was let through would be answered for as long as copies of it come.
 */
export const MOST_COPIES = 32

/** Of each the response, as its octets. */
export class AnsweredPage extends Page {
  readonly backs: (WayBack | undefined)[] = Array.from({ length: ENTRIES })
  /** That came so far. */
  readonly copies = new Uint8Array(ENTRIES)
  readonly acknowledged = new Uint8Array(ENTRIES)

  override release(place: number): void {
    this.backs[place] = undefined
    this.acknowledged[place] = 0
  }
}

/**
 * What is left of a server transaction that waits for nothing but copies: that of an INVITE which was accepted (RFC 6026, 7.1), or of
 * another request which was answered (RFC 3261, 17.2.2). So a request spends half a minute, nearly all of its life, in the pages of a
 * ring; this is made when somebody asks for it.
 */
export class AnsweredRequest implements ServerSide {
  readonly #page: AnsweredPage
  readonly #place: number

  constructor(page: AnsweredPage, place: number) {
    this.#page = page
    this.#place = place
  }

  get forwarded(): undefined {
    return undefined
  }

  get isAcknowledged(): boolean {
    return this.#page.acknowledged[this.#place] === 1
  }

  requestCameAgain(): boolean {
    const copies = this.#page.copies[this.#place] ?? 0
    if (copies >= MOST_COPIES) return false
    this.#page.copies[this.#place] = copies + 1
    // None where copies are only absorbed: an INVITE's callee repeats his 2xx himself (RFC 6026, 7.1).
    const response = this.#page.bytes(this.#place)
    // A socket may send it later, when others lie in its place.
    if (response.length > 0) this.#page.backs[this.#place]?.send(Buffer.from(response))
    return true
  }

  ack(): boolean {
    this.#page.acknowledged[this.#place] = 1
    return true
  }
}
