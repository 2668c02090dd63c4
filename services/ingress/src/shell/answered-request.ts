import type { SipResponse } from '@siplb/sip'
import type { Arrival, WayBack } from './arrival.ts'
import type { KeptBytes } from './kept-bytes.ts'
import type { ServerHooks, ServerSide } from './server-transaction.ts'
import type { TimerOwner } from './timer-wheel.ts'

/**
 * A request is sent eleven times at most (RFC 3261, 17.1.2.2), and some copies are made on the way. A source address of UDP is
 * anybody's word, and without a bound one request that was let through would be answered for as long as copies of it come.
 */
export const MOST_COPIES = 32

export interface Answered {
  readonly key: string
  readonly isInvite: boolean
  readonly back: WayBack
  readonly hooks: ServerHooks
  /** Answers each copy; none where they are only absorbed: an INVITE's callee repeats his 2xx himself (RFC 6026, 7.1). */
  readonly response: KeptBytes | undefined
  /** That came so far. */
  readonly copies: number
}

/**
 * What is left of a server transaction that waits for nothing but copies: that of an INVITE which was accepted (RFC 6026, 7.1), or of
 * another request which was answered (RFC 3261, 17.2.2). So a request spends half a minute, nearly all of its life.
 */
export class AnsweredRequest implements ServerSide, TimerOwner {
  readonly key: string
  readonly #isInvite: boolean
  readonly #back: WayBack
  readonly #hooks: ServerHooks
  readonly #response: KeptBytes | undefined
  #copies: number
  #isAcknowledged = false

  constructor({ key, isInvite, back, hooks, response, copies }: Answered) {
    this.key = key
    this.#isInvite = isInvite
    this.#back = back
    this.#hooks = hooks
    this.#response = response
    this.#copies = copies
  }

  get forwarded(): undefined {
    return undefined
  }

  get isAcknowledged(): boolean {
    return this.#isAcknowledged
  }

  requestCameAgain(): boolean {
    this.#copies += 1
    if (this.#copies > MOST_COPIES) return false
    if (this.#response !== undefined) this.#back.send(this.#response.bytes)
    return true
  }

  ack(ack: Arrival): void {
    this.#isAcknowledged = true
    this.#hooks.ackReceived(ack)
  }

  respond({ status }: Pick<SipResponse, 'status'>, bytes: Buffer): void {
    // Each 2xx of an INVITE is another callee's, or repeated by him.
    if (this.#isInvite && status >= 200 && status < 300) this.#back.send(bytes)
  }

  timerDue(): void {
    this.#hooks.ended(this)
  }
}
