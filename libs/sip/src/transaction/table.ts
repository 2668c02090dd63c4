/** Live transactions by key. Knows no clock: whoever runs the machines removes them when they end. */
export class TransactionTable<Entry> {
  readonly #entries = new Map<string, Entry>()
  #added = 0

  get(key: string): Entry | undefined {
    return this.#entries.get(key)
  }

  /** False, and nothing changed, when the key is taken: a transaction is never replaced. */
  add(key: string, entry: Entry): boolean {
    if (this.#entries.has(key)) return false
    this.#entries.set(key, entry)
    this.#added++
    return true
  }

  remove(key: string): boolean {
    return this.#entries.delete(key)
  }

  entries(): IterableIterator<[string, Entry]> {
    return this.#entries.entries()
  }

  /** How many live now. */
  get size(): number {
    return this.#entries.size
  }

  /** How many there were, the living included. */
  get added(): number {
    return this.#added
  }
}
