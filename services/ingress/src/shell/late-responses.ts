import type { SipResponse } from '@siplb/sip'
import { proxyOf, type Target } from '../domain/branch.ts'
import type { RouteToken } from '../domain/route-token.ts'
import { ENTRIES, Page } from '../domain/timed-ring.ts'
import type { WayBack } from './arrival.ts'
import type { ClientHooks, ClientSide, ClientTransaction } from './client-transaction.ts'
import type { IngressContext } from './context.ts'
import { noteDialog } from './dialogs.ts'
import type { Link } from './link.ts'
import { readFeedback } from './overload-feedback.ts'
import { relayed } from './relay.ts'

/** A request that went on to a target, and whom the answer is for. */
export interface Asked {
  readonly method: string
  readonly back: WayBack
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

/** Branches at rest. */
export class LatePage extends Page {
  readonly #links: (Link | undefined)[] = Array.from({ length: ENTRIES })
  readonly #backs: (WayBack | undefined)[] = Array.from({ length: ENTRIES })
  readonly #targets: (Target | undefined)[] = Array.from({ length: ENTRIES })
  readonly #tokens: (RouteToken | undefined)[] = Array.from({ length: ENTRIES })
  readonly #reliable = new Uint8Array(ENTRIES)
  /** Mostly there is only one, so that there need be no list. */
  readonly #firstTags: (string | undefined)[] = Array.from({ length: ENTRIES })
  readonly #otherTags: (readonly string[] | undefined)[] = Array.from({ length: ENTRIES })

  put(place: number, link: Link, asked: Asked): void {
    this.#links[place] = link
    // Nothing that still comes goes anywhere, but for an INVITE.
    if (asked.method !== 'INVITE') return
    this.#backs[place] = asked.back
    this.#targets[place] = asked.target
    this.#tokens[place] = asked.token
    this.#reliable[place] = asked.isReliable ? 1 : 0
    this.taken(place, asked.takenBy)
  }

  taken(place: number, by: readonly string[]): void {
    this.#firstTags[place] = by[0]
    this.#otherTags[place] = by.length > 1 ? by.slice(1) : undefined
  }

  linkOf(place: number): Link | undefined {
    return this.#links[place]
  }

  /** Undefined where all that still comes goes nowhere. */
  askedOf(place: number): Asked | undefined {
    const [back, target, firstTag] = [this.#backs[place], this.#targets[place], this.#firstTags[place]]
    if (back === undefined || target === undefined) return undefined
    const takenBy = firstTag === undefined ? none : [firstTag, ...(this.#otherTags[place] ?? none)]
    const isReliable = this.#reliable[place] === 1
    return { method: 'INVITE', back, isReliable, target, token: this.#tokens[place], takenBy }
  }

  override release(place: number): void {
    this.#links[place] = undefined
    this.#backs[place] = undefined
    this.#targets[place] = undefined
    this.#tokens[place] = undefined
    this.taken(place, none)
  }
}

/**
 * What is left of a branch when its request is answered and no other branch is open. For half a minute copies of a 2xx still go to the caller,
 * and those of further callees (RFC 6026, 7.1); copies of any other response go nowhere. So a branch spends nearly all of its life, most
 * of that in the pages of a ring.
 */
export class LateResponses implements ClientHooks {
  readonly #ctx: IngressContext
  readonly #link: Link
  #asked: Asked

  constructor(ctx: IngressContext, link: Link, asked: Asked) {
    this.#ctx = ctx
    this.#link = link
    this.#asked = asked
  }

  rest(client: ClientTransaction, ms: number): boolean {
    return this.#ctx.clients.rest(client, this.#asked, ms)
  }

  response(_client: ClientTransaction, response: SipResponse): void {
    if (this.#asked.method === 'INVITE' && isTaken(response)) return void this.take(response)
    readFeedback(this.#ctx, this.#asked.target, response)
    this.#note(response)
  }

  timeout(): void {}

  ended(client: ClientTransaction): void {
    this.#ctx.clients.remove(client)
  }

  /** A 2xx; who sent such ones so far. */
  take(response: SipResponse): readonly string[] {
    readFeedback(this.#ctx, this.#asked.target, response)
    const { takenBy } = this.#asked
    const tag = response.to.tag ?? ''
    if (!takenBy.includes(tag)) {
      this.#asked = { ...this.#asked, takenBy: takenBy.concat(tag) }
      this.#note(response)
    }
    const bytes = relayed(this.#ctx, response, this.#asked.isReliable)
    if (bytes !== undefined) this.#asked.back.send(bytes)
    return this.#asked.takenBy
  }

  #note(response: SipResponse): void {
    const { method, target, token } = this.#asked
    this.#ctx.publisher.received(response, this.#link.endpoint, proxyOf(target))
    if (response.status >= 200) noteDialog(this.#ctx, method, response, target, token)
  }
}

/** A branch at rest, made when something still comes for it. */
export class LateBranch implements ClientSide {
  readonly link: Link
  readonly #ctx: IngressContext
  readonly #page: LatePage
  readonly #place: number

  constructor(ctx: IngressContext, link: Link, page: LatePage, place: number) {
    this.link = link
    this.#ctx = ctx
    this.#page = page
    this.#place = place
  }

  get bytes(): Buffer {
    return nothing
  }

  handle(response: SipResponse): void {
    const asked = this.#page.askedOf(this.#place)
    if (asked === undefined || !isTaken(response)) return
    this.#page.taken(this.#place, new LateResponses(this.#ctx, this.link, asked).take(response))
  }
}

function isTaken({ status }: SipResponse): boolean {
  return status >= 200 && status < 300
}
