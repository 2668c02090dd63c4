import { defaultTimers, giveUpMs, TransactionTable } from '@siplb/sip'
import { ENTRIES, TimedRing } from '../domain/timed-ring.ts'
import { AnsweredPage, AnsweredRequest } from './answered-request.ts'
import { keyHash } from './key-hash.ts'
import type { ServerSide, ServerTransaction } from './server-transaction.ts'

/** A key, and of half of the requests a response. */
const OCTETS_PER_REQUEST = 256

/** The server sides of all requests, by key: of those that are under way, and of those that only copies can come of. */
export class ServerTable {
  readonly #live = new TransactionTable<ServerTransaction>()
  readonly #answered = new TimedRing({
    keptMs: giveUpMs(defaultTimers),
    pageOctets: ENTRIES * OCTETS_PER_REQUEST,
    makePage: (octets) => new AnsweredPage(octets),
  })
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  get(key: string, hash: number = keyHash(key)): ServerSide | undefined {
    const live = this.#live.get(key, hash)
    if (live !== undefined) return live
    const found = this.#answered.find(key, hash, this.#now)
    return found === undefined ? undefined : new AnsweredRequest(found.page, found.place)
  }

  add(server: ServerTransaction): void {
    this.#live.add(server)
  }

  /** From now on only copies are waited for, which get this. False: such a time is not known here. */
  rest(server: ServerTransaction, response: Buffer, ms: number): boolean {
    if (ms !== this.#answered.keptMs) return false
    this.#live.remove(server)
    const page = this.#answered.add(server.key, server.hash, this.#now(), response)
    page.backs[page.last] = server.back
    page.copies[page.last] = server.copies
    return true
  }

  remove(server: ServerTransaction): void {
    this.#live.remove(server)
  }

  /** Those under way. */
  live(): IterableIterator<ServerTransaction> {
    return this.#live.values()
  }

  get size(): number {
    return this.#live.size + this.#answered.sizeAt(this.#now())
  }
}
