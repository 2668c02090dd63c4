import type { RouteFacts } from '@siplb/contracts'
import { ChoiceStock, type Revision } from '../domain/choice-stock.ts'
import type { Answered, RouteClient, Routes } from './route-client.ts'

/** Between two questions for choices ahead, whatever the number of pools: the bus runs at a fixed rate, not once per call. */
const ASK_EVERY_MS = 50
/** The most that location gives at once. */
const MOST = 1024

export interface ChoicesAheadOptions {
  readonly client: RouteClient
  /** The pool of a request whose choice depends on nothing in it; undefined for any other. */
  readonly poolOf: (facts: RouteFacts) => string | undefined
  readonly revisionOf: (pool: string) => Revision | undefined
  readonly isConnected: () => boolean
  readonly now: () => number
}

/**
 * Answers routing questions from choices that location drew before they came, so that no request waits for the bus and none costs
 * a message. A pool's first requests, and those of one that has few, are asked for one by one.
 */
export class ChoicesAheadClient implements Routes {
  readonly #options: ChoicesAheadOptions
  readonly #stocks = new Map<string, ChoiceStock>()
  #mayAskAt = Number.NEGATIVE_INFINITY
  #isAsking = false

  constructor(options: ChoicesAheadOptions) {
    this.#options = options
  }

  ask(facts: RouteFacts, done: (answered: Answered) => void): void {
    const { client, poolOf, revisionOf, now } = this.#options
    const pool = poolOf(facts)
    if (pool === undefined) return client.ask(facts, done)
    const at = now()
    const routed = this.#stockOf(pool).take(revisionOf(pool), at)
    if (at >= this.#mayAskAt) this.#restock(at)
    if (routed === undefined) client.ask(facts, done)
    else done({ source: 'location', answer: { ...routed, id: facts.id } })
  }

  /** The pool that needs it most. The more pools are busy, the more rarely each is asked for, and the more is asked for at once. */
  #restock(at: number): void {
    const { isConnected, revisionOf } = this.#options
    if (this.#isAsking || !isConnected()) return
    const forMs = 2 * ASK_EVERY_MS * Math.max(1, this.#stocks.size)
    let neediest: { readonly pool: string; readonly count: number } | undefined
    for (const [pool, stock] of this.#stocks) {
      const count = stock.wanted(forMs, revisionOf(pool), at)
      if (count > (neediest?.count ?? 0)) neediest = { pool, count }
    }
    if (neediest === undefined) return
    this.#mayAskAt = at + ASK_EVERY_MS
    this.#isAsking = true
    void this.#fetch(neediest.pool, Math.min(MOST, neediest.count))
  }

  async #fetch(pool: string, count: number): Promise<void> {
    const { client, now } = this.#options
    const given = await client.ahead(pool, count)
    this.#isAsking = false
    if (given !== undefined) this.#stocks.get(pool)?.fill(given, now())
  }

  #stockOf(pool: string): ChoiceStock {
    let stock = this.#stocks.get(pool)
    if (stock === undefined) {
      stock = new ChoiceStock()
      this.#stocks.set(pool, stock)
    }
    return stock
  }
}
