import { defaultTimers, giveUpMs, TransactionTable } from '@siplb/sip'
import { ENTRIES, TimedRing } from '../domain/timed-ring.ts'
import type { ClientSide, ClientTransaction } from './client-transaction.ts'
import type { IngressContext } from './context.ts'
import { keyHash } from './key-hash.ts'
import { LateBranch, LatePage, type Asked } from './late-responses.ts'

const OCTETS_PER_KEY = 80

const ringOf = (keptMs: number) =>
  new TimedRing({ keptMs, pageOctets: ENTRIES * OCTETS_PER_KEY, makePage: (octets) => new LatePage(octets) })

/** The client sides of all requests, by key: of those that are under way, and of those that are answered. */
export class ClientTable {
  readonly #live = new TransactionTable<ClientTransaction>()
  /** INVITEs that were accepted (Timer M), and others (Timer K). */
  readonly #rings = [ringOf(giveUpMs(defaultTimers)), ringOf(defaultTimers.t4Ms)]
  readonly #ctx: () => IngressContext
  readonly #now: () => number

  /** @param ctx for the responses that still come */
  constructor(now: () => number, ctx: () => IngressContext) {
    this.#now = now
    this.#ctx = ctx
  }

  get(key: string): ClientSide | undefined {
    const hash = keyHash(key)
    return this.#live.get(key, hash) ?? this.#lateOf(key, hash)
  }

  add(client: ClientTransaction): void {
    this.#live.add(client)
  }

  /** From now on only late responses are waited for. False: such a time is not known here. */
  rest(client: ClientTransaction, asked: Asked, ms: number): boolean {
    const ring = this.#rings.find(({ keptMs }) => keptMs === ms)
    if (ring === undefined) return false
    this.#live.remove(client)
    const page = ring.add(client.key, client.hash, this.#now())
    page.put(page.last, client.link, asked)
    return true
  }

  remove(client: ClientTransaction): void {
    this.#live.remove(client)
  }

  get size(): number {
    const now = this.#now()
    return this.#rings.reduce((sum, ring) => sum + ring.sizeAt(now), this.#live.size)
  }

  #lateOf(key: string, hash: number): LateBranch | undefined {
    for (const ring of this.#rings) {
      const found = ring.find(key, hash, this.#now)
      const link = found?.page.linkOf(found.place)
      if (found !== undefined && link !== undefined) return new LateBranch(this.#ctx(), link, found.page, found.place)
    }
    return undefined
  }
}
