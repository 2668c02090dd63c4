import type { ProxyStateChange, WeightTable } from '@siplb/contracts'

/** What came of one proxy by one way of weighing. */
export interface ProxyFigures {
  readonly id: string
  readonly uri: string
  readonly baseWeight: number
  readonly meanWeight: number
  readonly lowestWeight: number
  /** With less than half of its base weight. */
  readonly belowHalfMs: number
  readonly stateChanges: number
  /** Expected; and those of them while it was failing. */
  readonly requests: number
  readonly share: number
  readonly requestsWhileFailing: number
}

export interface PoolFigures {
  readonly tables: number
  readonly requests: number
  readonly requestsWhileFailing: number
  readonly proxies: readonly ProxyFigures[]
}

class Tally {
  weightMs = 0
  lowest = Infinity
  belowHalfMs = 0
  stateChanges = 0
  requests = 0
  whileFailing = 0
}

/** Adds up what the tables of a pool were over a span of time. What was before its begin is known and not counted. */
export class Figures {
  readonly #tallies = new Map<string, Tally>()
  #table: WeightTable | undefined
  #tables = 0
  #begunAt: number | undefined
  #at = 0

  begin(at: number): void {
    this.#begunAt = at
    this.#at = at
  }

  said(table: WeightTable, changes: readonly ProxyStateChange[], at: number): void {
    this.#pass(at)
    this.#table = table
    if (this.#begunAt === undefined) return
    this.#tables += 1
    for (const { proxy } of changes) this.#tally(proxy).stateChanges += 1
  }

  expected(requests: ReadonlyMap<string, number>, isFailing: (proxy: string) => boolean): void {
    if (this.#begunAt === undefined) return
    for (const [proxy, count] of requests) {
      const tally = this.#tally(proxy)
      tally.requests += count
      if (isFailing(proxy)) tally.whileFailing += count
    }
  }

  end(at: number): PoolFigures {
    this.#pass(at)
    const spanMs = this.#at - (this.#begunAt ?? at)
    const tallies = [...this.#tallies.values()]
    const requests = tallies.reduce((sum, tally) => sum + tally.requests, 0)
    const requestsWhileFailing = tallies.reduce((sum, tally) => sum + tally.whileFailing, 0)
    const proxies = (this.#table?.proxies ?? []).map(({ id, uri, baseWeight, weight }): ProxyFigures => {
      const tally = this.#tally(id)
      return {
        ...{ id, uri, baseWeight },
        meanWeight: spanMs === 0 ? weight : tally.weightMs / spanMs,
        lowestWeight: Math.min(weight, tally.lowest),
        belowHalfMs: tally.belowHalfMs,
        stateChanges: tally.stateChanges,
        requests: tally.requests,
        share: requests === 0 ? 0 : tally.requests / requests,
        requestsWhileFailing: tally.whileFailing,
      }
    })
    return { tables: this.#tables, requests, requestsWhileFailing, proxies }
  }

  #pass(at: number): void {
    if (this.#begunAt === undefined) return
    const ms = at - this.#at
    this.#at = at
    for (const { id, weight, baseWeight } of this.#table?.proxies ?? []) {
      const tally = this.#tally(id)
      tally.lowest = Math.min(tally.lowest, weight)
      tally.weightMs += weight * ms
      if (weight < baseWeight / 2) tally.belowHalfMs += ms
    }
  }

  #tally(proxy: string): Tally {
    let tally = this.#tallies.get(proxy)
    if (tally === undefined) {
      tally = new Tally()
      this.#tallies.set(proxy, tally)
    }
    return tally
  }
}
