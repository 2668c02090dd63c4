import { EvenPart } from './even-part.ts'
import type { Asked } from './overload-control.ts'
import type { RequestClass } from './request-class.ts'

type Sheddable = Exclude<RequestClass, 'emergency'>

/** So many requests make the mix of classes that is gone by. */
const MIX_REQUESTS = 500

/**
 * Refuses new requests at the edge when all proxies ask for less (RFC 7339, 5.10): as many as they want left out in all, those of
 * untrusted sources first, then of trusted ones, emergency calls never.
 */
export class EdgeShedding {
  readonly #mix: Record<Sheddable, number> = { untrusted: 0, trusted: 0 }
  readonly #parts: Record<Sheddable, EvenPart>
  #count = 0

  constructor(random: () => number) {
    this.#parts = { untrusted: new EvenPart(random), trusted: new EvenPart(random) }
  }

  /** Each new request is told, shed or not. */
  note(requestClass: RequestClass): void {
    this.#count = Math.min(this.#count + 1, MIX_REQUESTS)
    for (const one of ['untrusted', 'trusted'] as const) {
      this.#mix[one] += ((one === requestClass ? 1 : 0) - this.#mix[one]) / this.#count
    }
  }

  /** @param wanted the part of all new requests that is to be shed */
  sheds(requestClass: RequestClass, wanted: number): boolean {
    if (requestClass === 'emergency' || wanted <= 0) return false
    return this.#parts[requestClass].takesOut(this.#partOf(requestClass, wanted))
  }

  #partOf(requestClass: Sheddable, wanted: number): number {
    const { untrusted, trusted } = this.#mix
    const ofClass = requestClass === 'untrusted' ? wanted : Math.max(0, wanted - untrusted)
    return Math.min(1, ofClass / Math.max(requestClass === 'untrusted' ? untrusted : trusted, 1e-9))
  }
}

/**
 * The part of all new requests that the proxies of a pool want left out: 1 − Σ w(1−loss) / Σ w when all that are used ask for a
 * loss; else 0, for then others can take it, or the bucket of a rate says which requests are too many. A restricted one that asks
 * for nothing takes its own share and no more.
 */
export function wantedShed(
  proxies: readonly { readonly id: string; readonly weight: number; readonly restricted?: boolean }[],
  askedOf: (proxy: string) => Asked | undefined,
): number {
  let all = 0
  let left = 0
  for (const { id, weight, restricted } of proxies) {
    if (weight <= 0) continue
    const asked = askedOf(id)
    if (asked?.algorithm !== 'loss' && (asked !== undefined || restricted !== true)) return 0
    all += weight
    left += weight * (1 - (asked?.value ?? 0) / 100)
  }
  return all === 0 ? 0 : 1 - left / all
}
