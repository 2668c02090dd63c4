import type { ProxyRecord } from '@siplb/contracts'
import { ofRecord, type ProbedProxy } from './probed-proxy.ts'

/**
 * The proxies to probe: those of the store, and until it has told its own those of the file or the last that were known.
 *
 * L1. Never empty because the bus is gone or the store was lost: the last list holds until another is there.
 * L2. A store that is being filled shows one row after another, so the list changes when it has been quiet for 200 ms.
 */
export class ProxyList {
  #current: ReadonlyMap<string, ProbedProxy>
  #isDeclared = true
  #told = new Map<string, ProxyRecord>()
  #hasCaughtUp = false
  #changedAt: number | undefined

  constructor(declared: readonly ProbedProxy[]) {
    this.#current = byKey(declared)
  }

  /** The file was changed; it counts until the store has told its own. */
  declare(declared: readonly ProbedProxy[]): void {
    if (this.#isDeclared) this.#current = byKey(declared)
  }

  /** The bus was gone: the store tells everything again. */
  restart(): void {
    this.#told = new Map()
    this.#hasCaughtUp = false
    this.#changedAt = undefined
  }

  /** A row of the store, undefined for one that was removed. */
  told(key: string, row: ProxyRecord | undefined, now: number): void {
    if (row === undefined) this.#told.delete(key)
    else this.#told.set(key, row)
    this.#changedAt = now
  }

  /** The store has told all that it holds. */
  caughtUp(): void {
    this.#hasCaughtUp = true
  }

  /** The same map until something changed. */
  at(now: number): ReadonlyMap<string, ProbedProxy> {
    if (this.#hasCaughtUp && this.#changedAt !== undefined && now - this.#changedAt >= QUIET_MS) {
      this.#current = byKey([...this.#told.values()].flatMap((row) => ofRecord(row) ?? []))
      this.#changedAt = undefined
      this.#isDeclared = false
    }
    return this.#current
  }
}

const QUIET_MS = 200

function byKey(proxies: readonly ProbedProxy[]): ReadonlyMap<string, ProbedProxy> {
  return new Map(proxies.map((proxy) => [proxy.key, proxy]))
}
