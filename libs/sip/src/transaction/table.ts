export interface Keyed {
  readonly key: string
  /** Of the key, 32 bits, the same for the same key. */
  readonly hash: number
}

const NOWHERE = -1
/** A power of two. */
const FEWEST_HEADS = 1024

/**
 * Live transactions by key. Knows no clock: whoever runs the machines removes them when they end.
 *
 * No Map: what comes and goes within milliseconds makes it a new body all the time, and the old ones keep what stood in them until the next
 * large collection. Here those whose keys hash alike are chained, and places are used again.
 */
export class TransactionTable<Entry extends Keyed> {
  #heads = new Int32Array(FEWEST_HEADS).fill(NOWHERE)
  #nexts = new Int32Array(FEWEST_HEADS)
  readonly #entries: (Entry | undefined)[] = []
  /** The first of the places that are free, chained like all others. */
  #free = NOWHERE
  #size = 0

  get(key: string, hash: number): Entry | undefined {
    const place = this.#placeOf(key, hash)
    return place === NOWHERE ? undefined : this.#entries[place]
  }

  /** False, and nothing changed, when the key is taken: a transaction is never replaced. */
  add(entry: Entry): boolean {
    const { key, hash } = entry
    if (this.#placeOf(key, hash) !== NOWHERE) return false
    const place = this.#takePlace()
    this.#entries[place] = entry
    this.#chain(place, hash)
    this.#size += 1
    return true
  }

  /** False when it is not there. */
  remove(entry: Entry): boolean {
    const { key, hash } = entry
    const place = this.#placeOf(key, hash)
    if (place === NOWHERE || this.#entries[place] !== entry) return false
    this.#unchain(place, hash)
    this.#entries[place] = undefined
    this.#nexts[place] = this.#free
    this.#free = place
    this.#size -= 1
    return true
  }

  *values(): IterableIterator<Entry> {
    for (const entry of this.#entries) if (entry !== undefined) yield entry
  }

  get size(): number {
    return this.#size
  }

  #placeOf(key: string, hash: number): number {
    let place = this.#heads[hash & (this.#heads.length - 1)] ?? NOWHERE
    while (place !== NOWHERE) {
      const entry = this.#entries[place]
      if (entry?.hash === hash && entry.key === key) return place
      place = this.#nexts[place] ?? NOWHERE
    }
    return NOWHERE
  }

  #takePlace(): number {
    const place = this.#free
    if (place !== NOWHERE) {
      this.#free = this.#nexts[place] ?? NOWHERE
      return place
    }
    if (this.#entries.length === this.#heads.length) this.#grow()
    return this.#entries.push(undefined) - 1
  }

  #chain(place: number, hash: number): void {
    const head = hash & (this.#heads.length - 1)
    this.#nexts[place] = this.#heads[head] ?? NOWHERE
    this.#heads[head] = place
  }

  #unchain(place: number, hash: number): void {
    const head = hash & (this.#heads.length - 1)
    const next = this.#nexts[place] ?? NOWHERE
    if (this.#heads[head] === place) {
      this.#heads[head] = next
      return
    }
    let before = this.#heads[head] ?? NOWHERE
    while (before !== NOWHERE && this.#nexts[before] !== place) before = this.#nexts[before] ?? NOWHERE
    this.#nexts[before] = next
  }

  /** All places are taken then. */
  #grow(): void {
    const count = this.#heads.length * 2
    this.#heads = new Int32Array(count).fill(NOWHERE)
    this.#nexts = new Int32Array(count)
    for (const [place, entry] of this.#entries.entries()) if (entry !== undefined) this.#chain(place, entry.hash)
  }
}
