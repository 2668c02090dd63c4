import { hash } from 'node:crypto'
import { cancelTargetKey, type SipRequest } from '@siplb/sip'
import type { Endpoint } from '@siplb/sip/transport'
import { sideOf } from '../domain/affinity.ts'
import { ProvenSources } from '../domain/proven-sources.ts'
import { isScanner } from '../domain/scanner.ts'
import { SourceBuckets } from '../domain/source-buckets.ts'
import { SourceLimits } from '../domain/source-limits.ts'
import type { IngressContext } from './context.ts'
import type { Arrival } from './arrival.ts'
import type { AddressBook } from './surroundings.ts'

/** Requests of one dialog, far beyond what a phone has to say: whoever holds its token may be anywhere, and anybody. */
const OF_DIALOG = { perSecond: 50, burst: 200 }

/**
 * Who may begin something new. What is over a limit is dropped without an answer, as RFC 3261, 21.5.4 allows: a 503 costs a
 * transaction and a datagram for each request of a flood, and goes to whomever it names as its source.
 *
 * Not limited are responses and copies of requests that are known, which never come here; requests of dialogs, by our token, up
 * to a bound for each dialog; the CANCEL of a known INVITE; ACK, which leaves nothing behind; trusted networks; our proxies; and the
 * other ingresses.
 */
export class Gate {
  readonly #ctx: IngressContext
  readonly #addresses: AddressBook
  readonly #limits: SourceLimits
  readonly #dialogs = new SourceBuckets(OF_DIALOG)
  /** Calls that were answered, with the address that the answer went to. */
  readonly #answered = new ProvenSources()

  constructor(ctx: IngressContext, addresses: AddressBook) {
    this.#ctx = ctx
    this.#addresses = addresses
    this.#limits = new SourceLimits(ctx.config.ingress.limits)
  }

  configure(): void {
    this.#limits.configure(this.#ctx.config.ingress.limits)
  }

  /** A request that belongs to no transaction. */
  lets(arrival: Arrival): boolean {
    const { request, source } = arrival
    if (this.#isExempt(source)) return true
    if (isScanner(request, this.#ctx.config.ingress.limits.scannerAgents)) return this.#drop('scanner')
    if (this.#isOfDialog(arrival)) return this.#takesOfDialog(request)
    return this.#continuesSomething(request) || this.#takes(source)
  }

  /** A broken request may have its answer: within the same limits. */
  letsAnswer(source: Endpoint): boolean {
    return this.#isExempt(source) || this.#takes(source)
  }

  /**
   * A 2xx went to this source. A registrar took its word, and it has to have seen the challenge (RFC 3261, 10.3); of a call it has to
   * show first that it heard the answer: by the tag of the called side.
   */
  accepted({ request, source }: Arrival, toTag: string | undefined): void {
    if (this.#isExempt(source)) return
    const isCall = request.method === 'INVITE' && request.to.tag === undefined && toTag !== undefined
    if (request.method === 'REGISTER') this.#prove(source)
    else if (isCall) this.#answered.add(callKey(request, toTag, source), this.#ctx.now())
  }

  #continuesSomething(request: SipRequest): boolean {
    if (request.method === 'CANCEL') return this.#ctx.servers.get(cancelTargetKey(request)) !== undefined
    return request.method === 'ACK'
  }

  /** From the phone's side: what comes from the other one, but from no proxy of ours, will be refused. */
  #isOfDialog(arrival: Arrival): boolean {
    const { request, source } = arrival
    if (request.to.tag === undefined) return false
    const { token } = arrival.way
    const known = token ?? this.#addresses.remembered(request)
    if (known === undefined || sideOf(request, known) !== 'phone') return false
    // The token alone proves nothing: it may be shown in the name of any address.
    if (token !== undefined && this.#answered.has(callKey(request, request.to.tag, source))) this.#prove(source)
    return true
  }

  #takesOfDialog({ callId }: SipRequest): boolean {
    return this.#dialogs.take(shortened(callId), this.#ctx.now()) || this.#drop('rate-of-dialog')
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

const callKey = ({ callId, from }: SipRequest, toTag: string | undefined, { address }: Endpoint): string =>
  shortened(`${address}\n${callId}\n${from.tag}\n${toTag}`)

/** A Call-ID may be as long as a line. */
const LONGEST_KEY = 160

function shortened(text: string): string {
  return text.length <= LONGEST_KEY ? text : hash('sha256', text, 'base64url').slice(0, 22)
}
