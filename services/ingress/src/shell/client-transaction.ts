import {
  clientKeyOf,
  defaultTimers,
  startInviteClient,
  startNonInviteClient,
  stepInviteClient,
  stepNonInviteClient,
  type ClientEvent,
  type InviteClient,
  type Keyed,
  type NonInviteClient,
  type SipResponse,
} from '@siplb/sip'
import { keyHash } from './key-hash.ts'
import type { Link } from './link.ts'
import type { TimerWheel } from './timer-wheel.ts'
import { Transaction, type TransactionHooks } from './transaction.ts'

export interface ClientRequest {
  readonly branchId: string
  readonly method: string
  /** As it goes out, our Via on top. */
  readonly bytes: Buffer
  readonly link: Link
  readonly sentAt: number
}

export interface ClientHooks {
  response(client: ClientTransaction, response: SipResponse): void
  timeout(): void
  /** Nothing but late responses is waited for any more, for so long. True: somebody else waits for them. */
  rest?(client: ClientTransaction, ms: number): boolean
  ended(client: ClientTransaction): void
}

/** The client side of a request: where responses to it go. */
export interface ClientSide {
  readonly link: Link
  /** The request as it went out; nothing once there was a final response. */
  readonly bytes: Buffer
  handle(response: SipResponse): void
}

const nothing = Buffer.alloc(0)

/** The client side of one attempt. */
export class ClientTransaction implements ClientSide, Keyed, TransactionHooks {
  readonly key: string
  readonly hash: number
  readonly link: Link
  readonly sentAt: number
  isAnswered = false
  #bytes: Buffer
  #hooks: ClientHooks
  readonly #transaction: Transaction<InviteClient, ClientEvent> | Transaction<NonInviteClient, ClientEvent>

  constructor({ branchId, method, bytes, link, sentAt }: ClientRequest, wheel: TimerWheel, hooks: ClientHooks) {
    this.key = clientKeyOf(branchId, method)
    this.hash = keyHash(this.key)
    this.link = link
    this.sentAt = sentAt
    this.#bytes = bytes
    this.#hooks = hooks
    const isReliable = link.endpoint.transport !== 'udp'
    this.#transaction =
      method === 'INVITE'
        ? new Transaction(startInviteClient(bytes, isReliable, defaultTimers), stepInviteClient, wheel, this)
        : new Transaction(startNonInviteClient(bytes, isReliable, defaultTimers), stepNonInviteClient, wheel, this)
  }

  get bytes(): Buffer {
    return this.#bytes
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
    if (response.status >= 200) this.#bytes = nothing
    this.#transaction.handle({ kind: 'response', response })
  }

  /** From now on these are told. */
  handOver(hooks: ClientHooks): void {
    this.#hooks = hooks
  }

  rest(ms: number): boolean {
    return this.#hooks.rest?.(this, ms) === true
  }

  abandon(): void {
    this.#transaction.abandon()
  }

  send(bytes: Buffer): void {
    this.link.send(bytes)
  }

  response(response: SipResponse): void {
    this.#hooks.response(this, response)
  }

  timeout(): void {
    this.#hooks.timeout()
  }

  ended(): void {
    this.#hooks.ended(this)
  }
}
