/** So long a source counts as real after it last showed that it is. */
const PROVEN_MS = 3_600_000
const MOST_PROVEN = 100_000

/**
 * Addresses that showed that they receive what we send them: a source address of UDP is anybody's word until then. Kept in two
 * generations, in bounded memory; who goes on showing it stays.
 */
export class ProvenSources {
  #young = new Set<string>()
  #old = new Set<string>()
  #turnAt = 0

  has(address: string): boolean {
    return this.#young.has(address) || this.#old.has(address)
  }

  add(address: string, now: number): void {
    if (now >= this.#turnAt || this.#young.size >= MOST_PROVEN) {
      this.#old = this.#young
      this.#young = new Set()
      this.#turnAt = now + PROVEN_MS
    }
    this.#young.add(address)
  }
}
