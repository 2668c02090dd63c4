/** Each tells its traffic every 250 ms. */
const LIVING_MS = 2000
/** Where an instance was reached is remembered beyond that: it may be the bus that is gone. */
const KNOWN_MS = 3_600_000
/** Its address may have become somebody else's. */
const SWEEP_EVERY_MS = 60_000

interface Seen {
  readonly at: number
  /** `host:port` and perhaps `;transport=`; undefined for one that does not tell. */
  readonly sip: string | undefined
}

/** The ingresses that share the pools with this one. */
export class LivingIngresses {
  readonly #self: string
  readonly #seen = new Map<string, Seen>()
  #addresses: ReadonlySet<string> = new Set()
  #sweepAt = 0

  constructor(self: string) {
    this.#self = self
  }

  seen(instance: string, sip: string | undefined, now: number): void {
    if (instance === this.#self) return
    const isNew = this.#seen.get(instance)?.sip !== sip
    this.#seen.set(instance, { at: now, sip })
    if (isNew || now >= this.#sweepAt) this.#forgetOld(now)
  }

  /** How many live, this one included. */
  count(now: number): number {
    let count = 1
    for (const { at } of this.#seen.values()) if (now - at < LIVING_MS) count++
    return count
  }

  /** SIP URI of an instance. */
  uriOf(instance: string): string | undefined {
    const sip = this.#seen.get(instance)?.sip
    return sip === undefined ? undefined : `sip:${sip}`
  }

  has(address: string): boolean {
    return this.#addresses.has(address)
  }

  #forgetOld(now: number): void {
    this.#sweepAt = now + SWEEP_EVERY_MS
    for (const [instance, { at }] of this.#seen) if (now - at >= KNOWN_MS) this.#seen.delete(instance)
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
