import type { SipResponse } from '@siplb/sip'
import type { Target } from '../domain/branch.ts'
import { relayResponse } from '../domain/edits.ts'
import type { RouteToken } from '../domain/route-token.ts'
import type { ClientHooks, ClientTransaction } from './client-transaction.ts'
import type { IngressContext } from './context.ts'
import { noteDialog } from './dialogs.ts'
import { readFeedback } from './overload-feedback.ts'
import type { ServerTransaction } from './server-transaction.ts'

/** A request that went on to a target, and whom the answer is for. */
export interface Asked {
  readonly server: ServerTransaction
  readonly method: string
  /** The request came by a connection. */
  readonly isReliable: boolean
  readonly target: Target
  /** Of the dialog that the request belongs to. */
  readonly token: RouteToken | undefined
  /** To tags of the 2xx that came: each makes a dialog of its own, and comes again until it is acknowledged. */
  readonly takenBy: readonly string[]
}

/**
 * Who a client transaction tells when the request is answered and no branch is open any more. For half a minute copies of a 2xx still go to
 * the caller, and those of other callees (RFC 6026, 7.1); a request spends most of its life here, so nothing else of it is kept.
 */
export class LateResponses implements ClientHooks {
  readonly #ctx: IngressContext
  readonly #server: ServerTransaction
  readonly #method: string
  readonly #isReliable: boolean
  readonly #target: Target
  readonly #token: RouteToken | undefined
  #takenBy: readonly string[]

  constructor(ctx: IngressContext, { server, method, isReliable, target, token, takenBy }: Asked) {
    this.#ctx = ctx
    this.#server = server
    this.#method = method
    this.#isReliable = isReliable
    this.#target = target
    this.#token = token
    this.#takenBy = takenBy
  }

  response(client: ClientTransaction, response: SipResponse): void {
    readFeedback(this.#ctx, this.#target, response)
    const isFinal = response.status >= 200
    const isTaken = isFinal && response.status < 300 && this.#method === 'INVITE'
    const tag = response.to.tag ?? ''
    if (!isTaken || !this.#takenBy.includes(tag)) {
      this.#ctx.publisher.received(response, client.link.endpoint, proxyOf(this.#target))
      if (isFinal) noteDialog(this.#ctx, this.#method, response, this.#target, this.#token)
    }
    if (!isTaken) return
    if (!this.#takenBy.includes(tag)) this.#takenBy = this.#takenBy.concat(tag)
    if (hasNobody(response)) this.#ctx.metrics.dropped.inc({ reason: 'response-for-us' })
    else this.#server.respond(response, relayResponse(response, this.#isReliable))
  }

  timeout(): void {}

  ended({ key }: ClientTransaction): void {
    this.#ctx.clients.remove(key)
  }
}

/** A response with our Via alone has nobody to go to (RFC 3261, 16.7 step 3). */
export function hasNobody({ topVia }: SipResponse): boolean {
  return !topVia.hasMore
}

export function proxyOf(target: Target): { readonly pool: string; readonly proxy: string } | undefined {
  return target.kind === 'proxy' ? { pool: target.pool, proxy: target.proxy } : undefined
}
