/** Each tells its traffic every 250 ms. */
const LIVING_MS = 2000
/** Where an instance was reached is remembered beyond that: it may be the bus that is gone. */
const KNOWN_MS = 3_600_000
/** Its address may have become somebody else's. */
const SWEEP_EVERY_MS = 60_000

/** What an ingress, or a worker of it, tells of itself. */
export interface Living {
  readonly ingress: string
  /** Where `ingress` is one of several workers. */
  readonly instance?: string | undefined
  readonly sip?: string | undefined
}

interface Seen {
  readonly at: number
  readonly instance: string
  /** `host:port` and perhaps `;transport=`; undefined for one that does not tell. */
  readonly sip: string | undefined
}

/** The ingresses that share the pools with this one. */
export class LivingIngresses {
  readonly #self: string
  readonly #instance: string
  readonly #seen = new Map<string, Seen>()
  /** By instance. */
  readonly #places = new Map<string, string>()
  #addresses: ReadonlySet<string> = new Set()
  #sweepAt = 0

  /** Workers of one instance have each a name on the bus. */
  constructor(self: string, instance = self) {
    this.#self = self
    this.#instance = instance
  }

  seen({ ingress, instance = ingress, sip: told }: Living, now: number): void {
    if (ingress === this.#self) return
    // Our own workers listen where we do.
    const sip = instance === this.#instance ? undefined : told
    const isNew = this.#seen.get(ingress)?.sip !== sip
    this.#seen.set(ingress, { at: now, instance, sip })
    if (isNew && sip !== undefined) this.#places.set(instance, sip)
    if (isNew || now >= this.#sweepAt) this.#forgetOld(now)
  }

  /** How many live, this one included, each worker for itself: so many share what a proxy takes. */
  count(now: number): number {
    let count = 1
    for (const { at } of this.#seen.values()) if (now - at < LIVING_MS) count++
    return count
  }

  /** SIP URI of an instance. */
  uriOf(instance: string): string | undefined {
    const sip = this.#places.get(instance)
    return sip === undefined ? undefined : `sip:${sip}`
  }

  has(address: string): boolean {
    return this.#addresses.has(address)
  }

  #forgetOld(now: number): void {
    this.#sweepAt = now + SWEEP_EVERY_MS
    for (const [ingress, { at }] of this.#seen) if (now - at >= KNOWN_MS) this.#seen.delete(ingress)
    const known = new Set([...this.#seen.values()].map(({ instance }) => instance))
    for (const instance of this.#places.keys()) if (!known.has(instance)) this.#places.delete(instance)
    this.#addresses = new Set(
      [...this.#seen.values()].flatMap(({ sip }) => (sip === undefined ? [] : [addressOf(sip)])),
    )
  }
}

function addressOf(sip: string): string {
  const place = sip.split(';', 1)[0] ?? ''
  const host = place.slice(0, place.lastIndexOf(':'))
  return host.startsWith('[') ? host.slice(1, -1) : host
}
