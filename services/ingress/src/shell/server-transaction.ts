import {
  buildResponse,
  defaultTimers,
  serverKey,
  startInviteServer,
  startNonInviteServer,
  stepInviteServer,
  stepNonInviteServer,
  type InviteServer,
  type NonInviteServer,
  type ServerEvent,
  type SipResponse,
} from '@siplb/sip'
import type { Arrival, WayBack } from './arrival.ts'
import { kept } from './kept-bytes.ts'
import { Transaction, type TransactionHooks } from './transaction.ts'
import type { TimerWheel } from './timer-wheel.ts'

/**
 * A request is sent eleven times at most (RFC 3261, 17.1.2.2), and some copies are made on the way. A source address of UDP is
 * anybody's word, and without a bound one request that was let through would be answered for as long as copies of it come.
 */
const MOST_COPIES = 32

/** What became of a request that was passed on. */
export interface Forwarding {
  /** An INVITE without a final response yet: what a stop has to wait for. */
  readonly isPending: boolean
  cancel(reasons: readonly string[]): void
}

export interface ServerHooks {
  /** An ACK with the branch of an INVITE that got a 2xx: end to end, so it goes on. */
  ackReceived(ack: Arrival): void
  /** A 2xx from downstream, with this To tag, went to the caller. */
  accepted(arrival: Arrival, toTag: string | undefined): void
  ended(server: ServerTransaction): void
}

/**
 * The server side of one request. For half a minute after its final response it is there only for copies of the request, by far
 * the longest part of its life: by then it keeps nothing of the request but the way back.
 */
export class ServerTransaction implements TransactionHooks {
  readonly key: string
  readonly isInvite: boolean
  /** Where it was forwarded; undefined while we answer it ourselves, and when it is answered. */
  forwarded: Forwarding | undefined
  #arrival: Arrival | undefined
  readonly #back: WayBack
  #ack: Arrival | undefined
  #isAcknowledged = false
  #copies = 0
  readonly #hooks: ServerHooks
  /** An INVITE was: remembered for longer than its transaction lasts. */
  #isRefused = false
  readonly #transaction: Transaction<InviteServer, ServerEvent> | Transaction<NonInviteServer, ServerEvent>

  constructor(arrival: Arrival, wheel: TimerWheel, hooks: ServerHooks) {
    const { request, isReliable } = arrival
    this.key = serverKey(request)
    this.isInvite = request.method === 'INVITE'
    this.#arrival = arrival
    this.#back = arrival.back
    this.#hooks = hooks
    this.#transaction = this.isInvite
      ? new Transaction(startInviteServer(isReliable, defaultTimers), stepInviteServer, wheel, this)
      : new Transaction(startNonInviteServer(isReliable, defaultTimers), stepNonInviteServer, wheel, this)
  }

  /** Undefined once a final response was given. */
  get arrival(): Arrival | undefined {
    return this.#arrival
  }

  /** The request came again: its last response goes out again. False: it came too often. */
  requestCameAgain(): boolean {
    this.#copies += 1
    if (this.#copies > MOST_COPIES) return false
    this.#transaction.handle({ kind: 'request' })
    return true
  }

  get isAcknowledged(): boolean {
    return this.#isAcknowledged
  }

  ack(ack: Arrival): void {
    this.#isAcknowledged = true
    this.#ack = ack
    this.#transaction.handle({ kind: 'ack' })
    this.#ack = undefined
  }

  /** A response that came from downstream. */
  respond({ status, to }: Pick<SipResponse, 'status' | 'to'>, bytes: Buffer): void {
    const isAccepted = status >= 200 && status < 300
    if (isAccepted && this.#arrival !== undefined) this.#hooks.accepted(this.#arrival, to.tag)
    // 16.7 step 5: a 2xx of an INVITE goes on behind a refusal too, which its transaction would not let through.
    if (this.#isRefused && isAccepted) return this.#back.send(bytes)
    this.#send(status, bytes)
  }

  /** A response of our own; nothing when there was a final one. */
  answer(status: number, extraHeaders: readonly (readonly [string, string])[] = []): void {
    if (this.#arrival === undefined) return
    const { request, received } = this.#arrival
    this.#send(status, buildResponse(request, { status, extraHeaders, ...received }))
  }

  send(bytes: Buffer): void {
    this.#back.send(bytes)
  }

  tryingDue(): void {
    this.answer(100)
  }

  ackReceived(): void {
    if (this.#ack !== undefined) this.#hooks.ackReceived(this.#ack)
  }

  ended(): void {
    this.#hooks.ended(this)
  }

  #send(status: number, bytes: Buffer): void {
    this.#isRefused ||= status >= 300 && this.isInvite
    if (status >= 200) {
      this.#arrival = undefined
      this.forwarded = undefined
    }
    this.#transaction.handle({ kind: 'respond', status, bytes: this.#isKept(status) ? kept(bytes) : bytes })
  }

  /** Whether copies of the request are answered with it for half a minute. */
  #isKept(status: number): boolean {
    return status >= 200 && (status >= 300 || !this.isInvite)
  }
}
