const SHARDS = 256

/**
 * Live transactions by key. Knows no clock: whoever runs the machines removes them when they end.
 *
 * In many small maps: a map of half a million entries is laid out anew now and then, and calls would wait for that.
 */
export class TransactionTable<Entry> {
  readonly #shards = Array.from({ length: SHARDS }, () => new Map<string, Entry>())
  #size = 0
  #added = 0

  get(key: string): Entry | undefined {
    return this.#shardOf(key).get(key)
  }

  /** False, and nothing changed, when the key is taken: a transaction is never replaced. */
  add(key: string, entry: Entry): boolean {
    const shard = this.#shardOf(key)
    if (shard.has(key)) return false
    shard.set(key, entry)
    this.#size++
    this.#added++
    return true
  }

  /** What stands for a living transaction from now on. */
  replace(key: string, entry: Entry): void {
    const shard = this.#shardOf(key)
    if (shard.has(key)) shard.set(key, entry)
  }

  remove(key: string): boolean {
    const isThere = this.#shardOf(key).delete(key)
    if (isThere) this.#size--
    return isThere
  }

  *entries(): IterableIterator<[string, Entry]> {
    for (const shard of this.#shards) yield* shard
  }

  /** How many live now. */
  get size(): number {
    return this.#size
  }

  /** How many there were, the living included. */
  get added(): number {
    return this.#added
  }

  // Branches are unique by their last characters, before the line feed: by chance with us and most others, else by counting.
  #shardOf(key: string): Map<string, Entry> {
    const end = key.indexOf('\n')
    const last = end < 0 ? key.length - 1 : end - 1
    const hash = key.charCodeAt(last) + key.charCodeAt(last - 1) * 7 + key.charCodeAt(last - 2) * 31
    const shard = this.#shards[hash & (SHARDS - 1)]
    return shard ?? this.#first
  }

  // NaN of a key of one or two characters is 0 behind `&`.
  get #first(): Map<string, Entry> {
    const [first = new Map<string, Entry>()] = this.#shards
    return first
  }
}
