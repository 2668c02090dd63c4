import {
  clientKeyOf,
  defaultTimers,
  InviteClient,
  NonInviteClient,
  type ClientSink,
  type Keyed,
  type SipResponse,
  type TimerName,
} from '@siplb/sip'
import { keyHash } from './key-hash.ts'
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
export class ClientTransaction extends Transaction implements ClientSide, Keyed, ClientSink {
  readonly key: string
  readonly hash: number
  readonly link: Link
  readonly sentAt: number
  isAnswered = false
  #bytes: Buffer
  #hooks: ClientHooks
  readonly #machine: InviteClient | NonInviteClient

  constructor({ branchId, method, bytes, link, sentAt }: ClientRequest, wheel: TimerWheel, hooks: ClientHooks) {
    super(wheel)
    this.key = clientKeyOf(branchId, method)
    this.hash = keyHash(this.key)
    this.link = link
    this.sentAt = sentAt
    this.#bytes = bytes
    this.#hooks = hooks
    const isReliable = link.endpoint.transport !== 'udp'
    this.#machine =
      method === 'INVITE'
        ? new InviteClient(bytes, isReliable, defaultTimers, this)
        : new NonInviteClient(bytes, isReliable, defaultTimers, this)
    this.#machine.start()
  }

  get bytes(): Buffer {
    return this.#bytes
  }

  /** Then nobody knows which copy an answer is for (Karn). */
  get isRetransmitted(): boolean {
    return this.#machine.retransmitted
  }

  /** No final response yet. */
  get isWaiting(): boolean {
    const { state } = this.#machine
    return state === 'calling' || state === 'trying' || state === 'proceeding'
  }

  handle(response: SipResponse): void {
    if (response.status >= 200) this.#bytes = nothing
    this.#machine.response(response)
  }

  /** From now on these are told. */
  handOver(hooks: ClientHooks): void {
    this.#hooks = hooks
  }

  /** Ends it without a word: nothing can come any more. */
  abandon(): void {
    this.ended()
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
    this.clearTimers()
    this.#hooks.ended(this)
  }

  override timerDue(name: TimerName): void {
    this.#machine.timer(name)
  }

  protected override rest(ms: number): boolean {
    return this.#hooks.rest?.(this, ms) === true
  }
}
