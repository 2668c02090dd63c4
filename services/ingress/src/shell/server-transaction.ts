import {
  buildResponse,
  defaultTimers,
  InviteServer,
  NonInviteServer,
  type Keyed,
  type ServerSink,
  type SipResponse,
  type TimerName,
} from '@siplb/sip'
import type { Arrival, WayBack } from './arrival.ts'
import { MOST_COPIES } from './answered-request.ts'
import { keptCopy } from './kept-bytes.ts'
import type { TimerWheel } from './timer-wheel.ts'
import { Transaction } from './transaction.ts'

/** What became of a request that was passed on. */
export interface Forwarding {
  /** An INVITE without a final response yet: what a stop has to wait for. */
  readonly isPending: boolean
  cancel(reasons: readonly string[]): void
}

/** The server side of a request: where its copies and its ACK go. */
export interface ServerSide {
  /** Where it was forwarded; undefined while we answer it ourselves, and when it is answered. */
  readonly forwarded: Forwarding | undefined
  readonly isAcknowledged: boolean
  /** The request came again: its last response goes out again. False: it came too often. */
  requestCameAgain(): boolean
  /** True: the ACK has the branch of an INVITE that got a 2xx. It is end to end, so it goes on. */
  ack(): boolean
}

export interface ServerHooks {
  /** A 2xx from downstream, with this To tag, went to the caller. */
  accepted(arrival: Arrival, toTag: string | undefined): void
  /** For so long only copies are waited for, which get this; true: somebody else waits for them. */
  rests(server: ServerTransaction, response: Buffer, ms: number): boolean
  ended(server: ServerTransaction): void
}

/** The server side of one request, until it is there only for copies of it. */
export class ServerTransaction extends Transaction implements ServerSide, Keyed, ServerSink {
  readonly key: string
  readonly hash: number
  readonly isInvite: boolean
  /** Where the responses go. */
  readonly back: WayBack
  forwarded: Forwarding | undefined
  #arrival: Arrival | undefined
  #isAcknowledged = false
  #ackGoesOn = false
  #copies = 0
  readonly #hooks: ServerHooks
  /** An INVITE was: remembered for longer than its transaction lasts. */
  #isRefused = false
  readonly #machine: InviteServer | NonInviteServer

  constructor(arrival: Arrival, wheel: TimerWheel, hooks: ServerHooks) {
    super(wheel)
    const { request, isReliable } = arrival
    this.key = arrival.key
    this.hash = arrival.hash
    this.isInvite = request.method === 'INVITE'
    this.#arrival = arrival
    this.back = arrival.back
    this.#hooks = hooks
    this.#machine = this.isInvite
      ? new InviteServer(isReliable, defaultTimers, this)
      : new NonInviteServer(isReliable, defaultTimers, this)
    this.#machine.start()
  }

  /** Undefined once a final response was given. */
  get arrival(): Arrival | undefined {
    return this.#arrival
  }

  /** Of the request, so far. */
  get copies(): number {
    return this.#copies
  }

  requestCameAgain(): boolean {
    if (this.#copies >= MOST_COPIES) return false
    this.#copies += 1
    this.#machine.request()
    return true
  }

  get isAcknowledged(): boolean {
    return this.#isAcknowledged
  }

  ack(): boolean {
    this.#isAcknowledged = true
    this.#ackGoesOn = false
    this.#machine.ack()
    return this.#ackGoesOn
  }

  respond({ status, to }: Pick<SipResponse, 'status' | 'to'>, bytes: Buffer): void {
    const isAccepted = status >= 200 && status < 300
    if (isAccepted && this.#arrival !== undefined) this.#hooks.accepted(this.#arrival, to.tag)
    // 16.7 step 5: a 2xx of an INVITE goes on behind a refusal too, which its transaction would not let through.
    if (this.#isRefused && isAccepted) return this.back.send(bytes)
    this.#send(status, bytes)
  }

  /** A response of our own; nothing when there was a final one. */
  answer(status: number, extraHeaders: readonly (readonly [string, string])[] = []): void {
    if (this.#arrival === undefined) return
    const { request, received } = this.#arrival
    this.#send(status, buildResponse(request, { status, extraHeaders, ...received }))
  }

  send(bytes: Buffer): void {
    this.back.send(bytes)
  }

  tryingDue(): void {
    this.answer(100)
  }

  ackReceived(): void {
    this.#ackGoesOn = true
  }

  ended(): void {
    this.clearTimers()
    this.#hooks.ended(this)
  }

  override timerDue(name: TimerName): void {
    this.#machine.timer(name)
  }

  protected override rest(ms: number): boolean {
    return this.#hooks.rests(this, this.#machine.bytes, ms)
  }

  #send(status: number, bytes: Buffer): void {
    this.#isRefused ||= status >= 300 && this.isInvite
    if (status >= 200) {
      this.#arrival = undefined
      this.forwarded = undefined
    }
    // A refusal of an INVITE goes out again until it is acknowledged, and its machine keeps it for half a minute.
    const isKept = status >= 300 && this.isInvite
    this.#machine.respond(status, isKept ? keptCopy(bytes) : bytes)
  }
}
