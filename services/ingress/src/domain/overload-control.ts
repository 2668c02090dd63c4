import type { OverloadAsked } from '@siplb/contracts'
import type { Overload } from '@siplb/sip'

/** What a proxy asks for now. */
export interface Asked {
  readonly algorithm: Overload['algorithm']
  /** loss: percent of requests to leave out; rate: requests per second. */
  readonly value: number
  readonly until: number
  /** Told to this ingress itself. A rate told to somebody else is for all ingresses together. */
  readonly isOwn: boolean
}

interface Sequence {
  readonly seq: number
  readonly at: number
}

/** 64*T1: no response comes later than that, so that a lower oc-seq then is of a proxy that counts anew. */
const ORDERED_MS = 32_000

/**
 * What the proxies of a pool ask for by overload control (RFC 7339, RFC 7415).
 *
 * O1. The newest word holds, whoever heard it; but a rate that was told to us is not replaced by what others were told.
 * O2. It holds for its validity and no longer; a validity of 0 ends it.
 * O3. A response with an oc-seq that is not higher than the last one is old, and says nothing (RFC 7339, 4.4). One without cannot
 *     be put in order, and is believed.
 */
export class OverloadControl {
  readonly #asked = new Map<string, Asked>()
  readonly #sequences = new Map<string, Sequence>()

  /** From our Via in a response. False: old. */
  observe(proxy: string, overload: Overload, now: number): boolean {
    const last = this.#lastOf(proxy, now)
    if (overload.seq > 0) {
      if (last !== undefined && overload.seq <= last.seq) return false
      this.#sequences.set(proxy, { seq: overload.seq, at: now })
    }
    this.#set(proxy, overload, now, true)
    return true
  }

  /** From somebody else who heard it, and who put it in order already; `ageMs` ago. False: we know better. */
  hear(proxy: string, told: OverloadAsked, ageMs: number, now: number): boolean {
    const last = this.#lastOf(proxy, now)
    if (told.seq > 0 && last !== undefined && told.seq < last.seq) return false
    const known = this.askedAt(proxy, now)
    if (known?.isOwn === true && known.algorithm === 'rate') return false
    if (told.validityMs > 0 && ageMs >= told.validityMs) return false // ran out on its way: no word that ends anything
    this.#set(proxy, { ...told, validityMs: told.validityMs - ageMs }, now, false)
    return true
  }

  askedAt(proxy: string, now: number): Asked | undefined {
    const asked = this.#asked.get(proxy)
    return asked !== undefined && now < asked.until ? asked : undefined
  }

  /** Whether any proxy asks for anything. */
  isAsked(now: number): boolean {
    for (const [proxy, { until }] of this.#asked) {
      if (now < until) return true
      this.#asked.delete(proxy)
    }
    return false
  }

  /** Of proxies that left the list nothing need be kept. */
  keepOnly(isListed: (proxy: string) => boolean): void {
    for (const proxy of this.#asked.keys()) if (!isListed(proxy)) this.#asked.delete(proxy)
    for (const proxy of this.#sequences.keys()) if (!isListed(proxy)) this.#sequences.delete(proxy)
  }

  #lastOf(proxy: string, now: number): Sequence | undefined {
    const last = this.#sequences.get(proxy)
    return last !== undefined && now - last.at < ORDERED_MS ? last : undefined
  }

  #set(proxy: string, told: Omit<OverloadAsked, 'seq'>, now: number, isOwn: boolean): void {
    const { algorithm, validityMs } = told
    // Who tells it on the bus may tell more than all.
    const value = algorithm === 'loss' ? Math.min(100, told.value) : told.value
    // No loss is nothing asked.
    if (validityMs <= 0 || (algorithm === 'loss' && value === 0)) this.#asked.delete(proxy)
    else this.#asked.set(proxy, { algorithm, value, until: now + validityMs, isOwn })
  }
}
