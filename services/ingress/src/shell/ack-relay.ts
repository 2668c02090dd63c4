import { makeBranch, type SipRequest } from '@siplb/sip'
import { admit } from '../domain/admission.ts'
import type { Target } from '../domain/branch.ts'
import { dialogName } from '../domain/dialog-leases.ts'
import type { IngressContext } from './context.ts'
import type { Link } from './link.ts'
import { writeRequest, type Onward } from './outgoing-request.ts'
import type { RequestRouter } from './request-router.ts'
import type { Arrival } from './arrival.ts'
import type { AddressBook } from './surroundings.ts'
import { uniqueText } from './unique.ts'

/** An ACK is kept for so long after it was sent: a refusal comes well within, and what is sent again needlessly is only a copy. */
const KEPT_MS = 100

/**
 * Passes on the ACK of a 2xx, which is end to end: no transaction, no answer, and no choice of its own (RFC 3261, 13.2.2.4 and
 * 16.6). It goes where the token says; when the proxy there turns out to be gone and the pool lets its dialogs move, to another.
 */
export class AckRelay {
  readonly #ctx: IngressContext
  readonly #addresses: AddressBook
  readonly #router: RequestRouter

  constructor(ctx: IngressContext, addresses: AddressBook, router: RequestRouter) {
    this.#ctx = ctx
    this.#addresses = addresses
    this.#router = router
  }

  relay(arrival: Arrival): void {
    const { request, source, way } = arrival
    this.#passed(request)
    if (request.maxForwards === 0) return this.#drop('ack-not-routable')
    const admission = admit(request, way, source, this.#addresses)
    switch (admission.kind) {
      case 'forward':
        return this.#tryFirst({ arrival, token: undefined }, admission.targets)
      case 'to-proxy': {
        const routing = this.#router.ofDialog(admission.token, request)
        if (routing.kind === 'refused') return this.#drop('ack-without-proxy')
        return this.#tryFirst({ arrival, token: admission.token }, routing.targets)
      }
      default:
        return this.#drop('ack-without-dialog')
    }
  }

  #tryFirst(ack: Onward, targets: readonly Target[]): void {
    const { wheel, attempt } = this.#ctx
    const [target, ...others] = targets
    if (target === undefined) return this.#drop('ack-without-proxy')
    const found = this.#ctx.wayTo(target, ack.arrival.local)
    if (found instanceof Promise) {
      const goOn = (link: Link | undefined) =>
        link === undefined ? this.#drop('ack-without-proxy') : this.#tryFirst(ack, targets)
      void found.then((link) => attempt(() => goOn(link)))
      return
    }
    if (found === undefined || (found.isGone && others.length > 0)) return this.#tryFirst(ack, others)
    const kept = {}
    if (others.length > 0) {
      found.unconfirmed.set(kept, () => attempt(() => this.#tryFirst(ack, others)))
      wheel.set(KEPT_MS, () => found.unconfirmed.delete(kept))
    }
    found.send(writeRequest(this.#ctx, ack, target, found, this.#branch()))
  }

  #passed({ callId, from, to }: SipRequest): void {
    const { isDraining, awaitedAcks } = this.#ctx
    if (isDraining && from.tag !== undefined && to.tag !== undefined)
      awaitedAcks.passed(dialogName(callId, from.tag, to.tag))
  }

  #branch(): string {
    return makeBranch({ ...this.#ctx.self, unique: uniqueText() })
  }

  #drop(reason: string): void {
    this.#ctx.metrics.dropped.inc({ reason })
  }
}
