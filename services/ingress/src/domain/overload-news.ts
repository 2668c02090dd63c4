import type { Load } from '@siplb/contracts'
import type { Overload } from '@siplb/sip'

interface Told {
  readonly algorithm: Overload['algorithm']
  readonly value: number
  readonly until: number
}

interface Heard extends Told {
  readonly seq: number
  readonly validityMs: number
}

/**
 * What was heard of the proxies of a pool and is news to the others: what changed, and what would run out there though it holds on
 * here. A proxy says it in every response, and nobody needs to be told that often.
 */
export class OverloadNews {
  readonly #heard = new Map<string, Heard>()
  readonly #told = new Map<string, Told>()

  heard(proxy: string, { algorithm, value, validityMs, seq }: Overload, now: number): void {
    this.#heard.set(proxy, { algorithm, value, seq, validityMs, until: now + validityMs })
  }

  /** To be told now. */
  take(now: number): Load[] {
    const loads: Load[] = []
    for (const [proxy, heard] of this.#heard) {
      if (!isNews(heard, this.#told.get(proxy), now)) continue
      this.#told.set(proxy, heard)
      loads.push(loadOf(proxy, heard, now))
    }
    for (const [proxy, { until }] of this.#heard) if (until <= now) this.#heard.delete(proxy)
    for (const [proxy, { until }] of this.#told) if (until <= now) this.#told.delete(proxy)
    return loads
  }

  /** Nobody could be told: all of it is news again. */
  untold(): void {
    this.#told.clear()
  }
}

function isNews(heard: Heard, told: Told | undefined, now: number): boolean {
  const holds = told !== undefined && now < told.until
  if (heard.validityMs === 0) return holds
  if (now >= heard.until) return false
  if (!holds || told.algorithm !== heard.algorithm || told.value !== heard.value) return true
  // Said again in good time before it runs out there.
  return heard.until > told.until && told.until - now <= heard.validityMs / 2
}

function loadOf(proxy: string, { algorithm, value, seq, until }: Heard, now: number): Load {
  const validityMs = Math.max(0, Math.ceil(until - now))
  return {
    proxy,
    load: validityMs === 0 ? 0 : algorithm === 'loss' ? value / 100 : 1,
    source: 'oc',
    ageMs: 0,
    expiresInMs: Math.max(1, validityMs),
    overload: { algorithm, value, seq, validityMs },
  }
}
