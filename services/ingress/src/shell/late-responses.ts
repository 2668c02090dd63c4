import type { SipResponse } from '@siplb/sip'
import { proxyOf, type Target } from '../domain/branch.ts'
import type { RouteToken } from '../domain/route-token.ts'
import type { ClientHooks, ClientSide, ClientTransaction } from './client-transaction.ts'
import type { IngressContext } from './context.ts'
import { noteDialog } from './dialogs.ts'
import type { Link } from './link.ts'
import { readFeedback } from './overload-feedback.ts'
import { relay } from './relay.ts'
import type { ServerSide } from './server-transaction.ts'
import type { TimerOwner } from './timer-wheel.ts'

/** A request that went on to a target, and whom the answer is for. */
export interface Asked {
  readonly server: ServerSide
  readonly method: string
  /** The request came by a connection. */
  readonly isReliable: boolean
  readonly target: Target
  /** Of the dialog that the request belongs to. */
  readonly token: RouteToken | undefined
  /** To tags of the 2xx that came: each makes a dialog of its own, and comes again until it is acknowledged. */
  readonly takenBy: readonly string[]
}

const none: readonly never[] = []
const nothing = Buffer.alloc(0)

/**
 * What is left of a branch when its request is answered and no other branch is open. For half a minute copies of a 2xx still go to the caller,
 * and those of further callees (RFC 6026, 7.1); copies of any other response go nowhere. So a branch spends nearly all of its life, and
 * nothing else of it is kept.
 */
export class LateResponses implements ClientHooks, ClientSide, TimerOwner {
  readonly key: string
  readonly link: Link
  readonly #ctx: IngressContext
  readonly #server: ServerSide
  readonly #method: string
  readonly #isReliable: boolean
  readonly #target: Target
  readonly #token: RouteToken | undefined
  /** Mostly the only one, so that there need be no list. */
  readonly #firstTag: string | undefined
  #otherTags: readonly string[]

  constructor(ctx: IngressContext, { key, link }: ClientTransaction, asked: Asked) {
    const { server, method, isReliable, target, token, takenBy } = asked
    this.key = key
    this.link = link
    this.#ctx = ctx
    this.#server = server
    this.#method = method
    this.#isReliable = isReliable
    this.#target = target
    this.#token = token
    this.#firstTag = takenBy[0]
    this.#otherTags = takenBy.length > 1 ? takenBy.slice(1) : none
  }

  get bytes(): Buffer {
    return nothing
  }

  /** In place of the transaction from here on. */
  rest(ms: number): boolean {
    this.#ctx.clients.replace(this.key, this)
    this.#ctx.wheel.setForGood(this, ms)
    return true
  }

  handle(response: SipResponse): void {
    if (this.#isTaken(response)) this.#take(response)
  }

  /** While the transaction lives on. */
  response(_client: ClientTransaction, response: SipResponse): void {
    if (this.#isTaken(response)) return this.#take(response)
    readFeedback(this.#ctx, this.#target, response)
    this.#note(response)
  }

  timeout(): void {}

  timerDue(): void {
    this.ended()
  }

  ended(): void {
    this.#ctx.clients.remove(this.key)
  }

  #isTaken({ status }: SipResponse): boolean {
    return this.#method === 'INVITE' && status >= 200 && status < 300
  }

  #take(response: SipResponse): void {
    readFeedback(this.#ctx, this.#target, response)
    const tag = response.to.tag ?? ''
    if (tag !== this.#firstTag && !this.#otherTags.includes(tag)) {
      this.#otherTags = this.#otherTags.concat(tag)
      this.#note(response)
    }
    relay(this.#ctx, this.#server, response, this.#isReliable)
  }

  #note(response: SipResponse): void {
    this.#ctx.publisher.received(response, this.link.endpoint, proxyOf(this.#target))
    if (response.status >= 200) noteDialog(this.#ctx, this.#method, response, this.#target, this.#token)
  }
}
