import { cancelTargetKey, parseRoutes, type SipRequest } from '@siplb/sip'
import type { Endpoint } from '@siplb/sip/transport'
import { readWay, sideOf } from '../domain/affinity.ts'
import { isScanner } from '../domain/scanner.ts'
import { SourceLimits } from '../domain/source-limits.ts'
import type { IngressContext } from './context.ts'
import type { Arrival } from './server-transaction.ts'
import type { AddressBook } from './surroundings.ts'

/**
 * Who may begin something new. What is over a limit is dropped without an answer, as RFC 3261, 21.5.4 allows: a 503 costs a
 * transaction and a datagram for each request of a flood, and goes to whomever it names as its source.
 *
 * Not limited are responses and copies of requests that are known, which never come here; requests of dialogs, by our token; the
 * CANCEL of a known INVITE; ACK, which leaves nothing behind; trusted networks; our proxies; and the other ingresses.
 */
export class Gate {
  readonly #ctx: IngressContext
  readonly #addresses: AddressBook
  readonly #limits: SourceLimits

  constructor(ctx: IngressContext, addresses: AddressBook) {
    this.#ctx = ctx
    this.#addresses = addresses
    this.#limits = new SourceLimits(ctx.config.ingress.limits)
  }

  configure(): void {
    this.#limits.configure(this.#ctx.config.ingress.limits)
  }

  /** A request that belongs to no transaction. */
  lets({ request, source }: Arrival): boolean {
    if (this.#isExempt(source)) return true
    if (isScanner(request, this.#ctx.config.ingress.limits.scannerAgents)) return this.#drop('scanner')
    if (this.#continuesSomething(request, source)) return true
    return this.#takes(source)
  }

  /** A broken request may have its answer: within the same limits. */
  letsAnswer(source: Endpoint): boolean {
    return this.#isExempt(source) || this.#takes(source)
  }

  /** A registrar took the word of this source, which has to have seen its challenge (RFC 3261, 10.3). */
  registered(source: Endpoint): void {
    this.#prove(source)
  }

  #continuesSomething(request: SipRequest, source: Endpoint): boolean {
    if (request.to.tag !== undefined && this.#isOfDialog(request, source)) return true
    if (request.method === 'CANCEL') return this.#ctx.servers.get(cancelTargetKey(request)) !== undefined
    return request.method === 'ACK'
  }

  #isOfDialog(request: SipRequest, source: Endpoint): boolean {
    const routes = parseRoutes(request)
    if (routes === undefined) return false
    const { token } = readWay(request, routes, this.#addresses, this.#ctx.tokenKeys)
    if (token === undefined) return this.#addresses.remembered(request) !== undefined
    // The token stood in a response to him.
    if (sideOf(request, token) === 'phone') this.#prove(source)
    return true
  }

  #prove({ address }: Endpoint): void {
    this.#limits.prove(address, this.#ctx.now())
  }

  #isExempt({ address }: Endpoint): boolean {
    return this.#ctx.trusted.has(address) || this.#addresses.isProxy(address) || this.#addresses.isFellow(address)
  }

  #takes({ address, transport }: Endpoint): boolean {
    const over = this.#limits.take(address, transport !== 'udp', this.#ctx.now())
    return over === undefined || this.#drop(over)
  }

  #drop(reason: string): false {
    this.#ctx.metrics.dropped.inc({ reason })
    return false
  }
}
