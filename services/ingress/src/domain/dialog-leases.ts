import { shortName } from './short-name.ts'

/** An open dialog as one ingress counts it. */
export interface DialogLease {
  readonly pool: string
  readonly proxy: string
  /** `tagHash` of the caller's tag, by which the direction of a request is known. */
  readonly callerTag: number
  expiresAt: number
}

/** Without Session-Expires a dialog is taken for gone after this time, however its end was missed. */
const LONGEST_MS = 4 * 3600 * 1000

const none: ReadonlyMap<string, number> = new Map()

/** Some 200 MB. A caller who never ends his calls has hours to make more. */
const MOST = 1_000_000

/**
 * Dialogs that this ingress set up, each on a lease: twice its Session-Expires (RFC 4028), else four hours. A re-INVITE or
 * UPDATE renews it, BYE ends it, and one whose end nobody saw runs out. When there are too many, the one that was silent for longest goes.
 */
export class DialogLeases {
  readonly #leases = new Map<string, DialogLease>()
  #looks: Iterator<[string, DialogLease]> | undefined
  readonly #counts = new Map<string, Map<string, number>>()

  open(key: string, dialog: Omit<DialogLease, 'expiresAt'>, now: number, sessionExpiresS?: number): void {
    const expiresAt = now + (sessionExpiresS === undefined ? LONGEST_MS : sessionExpiresS * 2000)
    const lease = this.#leases.get(key)
    if (lease !== undefined) {
      lease.expiresAt = expiresAt
      // To the end: the silent ones stand first.
      this.#leases.delete(key)
      this.#leases.set(key, lease)
      return
    }
    if (this.#leases.size >= MOST) this.#closeFirst()
    this.#leases.set(key, { ...dialog, expiresAt })
    this.#add(dialog.pool, dialog.proxy, 1)
  }

  find(key: string): DialogLease | undefined {
    return this.#leases.get(key)
  }

  close(key: string): void {
    const lease = this.#leases.get(key)
    if (lease === undefined) return
    this.#leases.delete(key)
    this.#add(lease.pool, lease.proxy, -1)
  }

  /** Looks at `most` of them and goes on there the next time, for calls would wait while it looks at a million. */
  expire(now: number, most = Number.POSITIVE_INFINITY): void {
    this.#looks ??= this.#leases.entries()
    for (let looked = 0; looked < most; looked++) {
      const look = this.#looks.next()
      if (look.done === true) {
        this.#looks = undefined
        return
      }
      const [key, lease] = look.value
      if (lease.expiresAt <= now) this.close(key)
    }
  }

  /** Open dialogs of each proxy of a pool that has any. */
  countsOf(pool: string): ReadonlyMap<string, number> {
    return this.#counts.get(pool) ?? none
  }

  get size(): number {
    return this.#leases.size
  }

  #closeFirst(): void {
    const [first] = this.#leases.keys()
    if (first !== undefined) this.close(first)
  }

  #add(pool: string, proxy: string, by: number): void {
    const ofPool = this.#counts.get(pool) ?? new Map<string, number>()
    const count = (ofPool.get(proxy) ?? 0) + by
    if (count === 0) ofPool.delete(proxy)
    else this.#counts.set(pool, ofPool.set(proxy, count))
  }
}

/**
 * A dialog's name, here and on the bus: short, whatever its Call-ID is, and the same for both directions (RFC 3261, 12: the Call-ID
 * and both tags).
 */
export function dialogName(callId: string, oneTag: string, otherTag: string): string {
  const [first, second] = oneTag < otherTag ? [oneTag, otherTag] : [otherTag, oneTag]
  return shortName(callId, ' ', first, ' ', second)
}
