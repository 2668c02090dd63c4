/**
 * Ids of late, to know a repetition by: in two generations, so that forgetting costs nothing. Our own services give every event
 * an id of its own, so one that comes twice was replayed.
 */
export class RecentIds {
  readonly #generationSize: number
  #young = new Set<string>()
  #old = new Set<string>()

  constructor(generationSize = 20_000) {
    this.#generationSize = generationSize
  }

  /** False when it was there already. */
  add(id: string): boolean {
    if (this.#young.has(id) || this.#old.has(id)) return false
    if (this.#young.size >= this.#generationSize) {
      this.#old = this.#young
      this.#young = new Set()
    }
    this.#young.add(id)
    return true
  }
}
