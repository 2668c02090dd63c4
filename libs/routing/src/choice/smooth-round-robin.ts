import type { Entry, Urn } from './choice.ts'

// Rounding must neither hold back a proxy whose turn has come nor change the order of equals.
const ROUNDING = 1e-9

/**
 * Smooth weighted round robin: each proxy has had its share of the requests at every moment, to less than one request.
 *
 * A lag is the part of a request that a proxy is behind its share; with each choice it grows by the share, and the chosen one's
 * falls by one. nginx takes the greatest lag, which lets a proxy fall 1.2 requests behind; here those whose turn has come are
 * taken by how soon they would be too far behind, which holds every lag under 1 - 1/(2n-2) (Tijdeman 1980, "The chairman
 * assignment problem"). With equal weights both are plain round robin.
 *
 * Lags are parts of requests and not weights, and are kept by proxy: when a new table comes, no proxy gets a burst.
 */
export class SmoothRoundRobin {
  #urn: Urn | undefined
  #entries: readonly Entry[] = []
  #shares = new Float64Array()
  #lags = new Float64Array()

  next(urn: Urn): Entry | undefined {
    if (urn !== this.#urn) this.#takeOver(urn)
    const chosen = this.#mostUrgent()
    for (let i = 0; i < this.#lags.length; i++) this.#lags[i] = (this.#lags[i] ?? 0) + (this.#shares[i] ?? 0)
    this.#lags[chosen] = (this.#lags[chosen] ?? 0) - 1
    return this.#entries[chosen]
  }

  #mostUrgent(): number {
    const n = this.#lags.length
    const margin = n > 1 ? 1 / (2 * n - 2) : 0
    let chosen = 0
    let soonest = Infinity
    for (let i = 0; i < n; i++) {
      const lag = this.#lags[i] ?? 0
      const share = this.#shares[i] ?? 0
      if (lag + share < margin - ROUNDING) continue
      const choicesLeft = (1 - margin - lag) / share
      if (choicesLeft < soonest - ROUNDING) {
        soonest = choicesLeft
        chosen = i
      }
    }
    return chosen
  }

  // Those who left take their lags with them: the rest is levelled, so that lags again sum up to nothing.
  #takeOver(urn: Urn): void {
    const lags = new Map(this.#entries.map(({ candidate }, i) => [candidate.proxy, this.#lags[i] ?? 0]))
    const total = urn.entries.reduce((sum, { weight }) => sum + weight, 0)
    const kept = urn.entries.map(({ candidate }) => lags.get(candidate.proxy) ?? 0)
    const mean = kept.reduce((sum, lag) => sum + lag, 0) / kept.length
    this.#urn = urn
    this.#entries = urn.entries
    this.#shares = Float64Array.from(urn.entries, ({ weight }) => weight / total)
    this.#lags = Float64Array.from(kept, (lag) => lag - mean)
  }
}
