import {
  clientKeyOf,
  defaultTimers,
  startInviteClient,
  startNonInviteClient,
  stepInviteClient,
  stepNonInviteClient,
  type ClientEvent,
  type InviteClient,
  type NonInviteClient,
  type SipResponse,
} from '@siplb/sip'
import type { Link } from './link.ts'
import type { TimerWheel } from './timer-wheel.ts'
import { Transaction } from './transaction.ts'

export interface ClientRequest {
  readonly branchId: string
  readonly method: string
  /** As it goes out, our Via on top. */
  readonly bytes: Buffer
  readonly link: Link
  readonly sentAt: number
}

export interface ClientHooks {
  response(response: SipResponse): void
  timeout(): void
  ended(): void
}

/** The client side of one attempt. */
export class ClientTransaction {
  readonly key: string
  readonly request: ClientRequest
  isAnswered = false
  readonly #transaction: Transaction<InviteClient, ClientEvent> | Transaction<NonInviteClient, ClientEvent>

  constructor(request: ClientRequest, wheel: TimerWheel, hooks: ClientHooks) {
    this.key = clientKeyOf(request.branchId, request.method)
    this.request = request
    const all = {
      send: (bytes: Buffer) => request.link.send(bytes),
      response: (response: SipResponse) => hooks.response(response),
      timeout: () => hooks.timeout(),
      ended: () => hooks.ended(),
    }
    const { bytes, link } = request
    const isReliable = link.endpoint.transport !== 'udp'
    this.#transaction =
      request.method === 'INVITE'
        ? new Transaction(startInviteClient(bytes, isReliable, defaultTimers), stepInviteClient, wheel, all)
        : new Transaction(startNonInviteClient(bytes, isReliable, defaultTimers), stepNonInviteClient, wheel, all)
  }

  /** Then nobody knows which copy an answer is for (Karn). */
  get isRetransmitted(): boolean {
    return this.#transaction.state.retransmitted
  }

  /** No final response yet. */
  get isWaiting(): boolean {
    const { state } = this.#transaction.state
    return state === 'calling' || state === 'trying' || state === 'proceeding'
  }

  handle(response: SipResponse): void {
    this.#transaction.handle({ kind: 'response', response })
  }

  abandon(): void {
    this.#transaction.abandon()
  }
}
