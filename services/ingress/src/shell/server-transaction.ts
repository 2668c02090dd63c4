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
  type SipRequest,
  type SipResponse,
} from '@siplb/sip'
import type { Endpoint } from '@siplb/sip/transport'
import type { ReceivedParams } from '../domain/edits.ts'
import { Transaction } from './transaction.ts'
import type { TimerWheel } from './timer-wheel.ts'

/** A request as it reached us, and the way back to who sent it. */
export interface Arrival {
  readonly request: SipRequest
  readonly source: Endpoint
  /** The socket that it came to. */
  readonly local: Endpoint
  readonly received: ReceivedParams
  /** It came by a connection: nothing is repeated, and what is answered tells its length. */
  readonly isReliable: boolean
  reply(bytes: Buffer): void
}

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
  ackReceived(arrival: Arrival): void
  /** A 2xx from downstream, with this To tag, went to the caller. */
  accepted(toTag: string | undefined): void
  ended(): void
}

/** The server side of one request. */
export class ServerTransaction {
  readonly key: string
  readonly arrival: Arrival
  /** Where it was forwarded; undefined while we answer it ourselves. */
  forwarded: Forwarding | undefined
  #ack: Arrival | undefined
  #copies = 0
  readonly #hooks: ServerHooks
  /** An INVITE was: remembered for longer than its transaction lasts. */
  #isRefused = false
  readonly #transaction: Transaction<InviteServer, ServerEvent> | Transaction<NonInviteServer, ServerEvent>

  constructor(arrival: Arrival, wheel: TimerWheel, hooks: ServerHooks) {
    this.key = serverKey(arrival.request)
    this.arrival = arrival
    this.#hooks = hooks
    const all = {
      send: (bytes: Buffer) => arrival.reply(bytes),
      tryingDue: () => this.answer(100),
      ackReceived: () => {
        if (this.#ack !== undefined) hooks.ackReceived(this.#ack)
      },
      ended: () => hooks.ended(),
    }
    const { request, isReliable } = arrival
    this.#transaction =
      request.method === 'INVITE'
        ? new Transaction(startInviteServer(isReliable, defaultTimers), stepInviteServer, wheel, all)
        : new Transaction(startNonInviteServer(isReliable, defaultTimers), stepNonInviteServer, wheel, all)
  }

  /** The request came again: its last response goes out again. False: it came too often. */
  requestCameAgain(): boolean {
    this.#copies += 1
    if (this.#copies > MOST_COPIES) return false
    this.#transaction.handle({ kind: 'request' })
    return true
  }

  get isAcknowledged(): boolean {
    return this.#ack !== undefined
  }

  ack(ack: Arrival): void {
    this.#ack = ack
    this.#transaction.handle({ kind: 'ack' })
  }

  /** A response that came from downstream. */
  respond({ status, to }: Pick<SipResponse, 'status' | 'to'>, bytes: Buffer): void {
    const isAccepted = status >= 200 && status < 300
    if (isAccepted) this.#hooks.accepted(to.tag)
    // 16.7 step 5: a 2xx of an INVITE goes on behind a refusal too, which its transaction would not let through.
    if (this.#isRefused && isAccepted) return this.arrival.reply(bytes)
    this.#send(status, bytes)
  }

  /** A response of our own. */
  answer(status: number, extraHeaders: readonly (readonly [string, string])[] = []): void {
    const { request, received } = this.arrival
    this.#send(status, buildResponse(request, { status, extraHeaders, ...received }))
  }

  #send(status: number, bytes: Buffer): void {
    this.#isRefused ||= status >= 300 && this.arrival.request.method === 'INVITE'
    this.#transaction.handle({ kind: 'respond', status, bytes })
  }
}
