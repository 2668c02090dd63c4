/** Entries of a page. */
export const ENTRIES = 256
const NOBODY = -1
/** A power of two. */
const FEWEST_HEADS = 1024
/** Empty pages that wait to be used again. */
const MOST_SPARE = 4

/** A piece of a ring: entries that came one after the other. Who keeps more of each than octets adds columns. */
export class Page {
  count = 0
  readonly octets: Buffer
  readonly #addedAt = new Float64Array(ENTRIES)
  readonly #hashes = new Int32Array(ENTRIES)
  /** By its number, the entry before whose hash has the same head. */
  readonly #befores = new Float64Array(ENTRIES)
  readonly #keyEnds = new Uint32Array(ENTRIES)
  readonly #ends = new Uint32Array(ENTRIES)

  constructor(octets: number) {
    this.octets = Buffer.allocUnsafeSlow(octets)
  }

  /** The place of the entry that came last. */
  get last(): number {
    return this.count - 1
  }

  addedAt(place: number): number {
    return this.#addedAt[place] ?? Number.NEGATIVE_INFINITY
  }

  hashOf(place: number): number {
    return this.#hashes[place] ?? 0
  }

  before(place: number): number {
    return this.#befores[place] ?? NOBODY
  }

  chain(place: number, before: number): void {
    this.#befores[place] = before
  }

  /** What was added with the key. */
  bytes(place: number): Buffer {
    return this.octets.subarray(this.#keyEnds[place], this.#ends[place])
  }

  has(place: number, key: string, hash: number): boolean {
    return (
      this.#hashes[place] === hash && this.octets.toString('utf8', this.#startOf(place), this.#keyEnds[place]) === key
    )
  }

  hasRoom(octets: number): boolean {
    return this.count < ENTRIES && this.#startOf(this.count) + octets <= this.octets.length
  }

  add(key: string, bytes: Buffer, hash: number, now: number): void {
    const place = this.count
    const start = this.#startOf(place)
    const keyEnd = start + this.octets.write(key, start)
    this.#addedAt[place] = now
    this.#hashes[place] = hash
    this.#keyEnds[place] = keyEnd
    this.#ends[place] = keyEnd + bytes.copy(this.octets, keyEnd)
    this.count += 1
  }

  /** To be used again. */
  clear(): void {
    this.count = 0
  }

  #startOf(place: number): number {
    return place === 0 ? 0 : (this.#ends[place - 1] ?? 0)
  }
}

export interface Found<P extends Page> {
  readonly page: P
  readonly place: number
}

export interface TimedRingOptions<P extends Page> {
  /** So long each entry is kept. */
  readonly keptMs: number
  /** The oldest go when there would be more. */
  readonly most?: number
  /** Octets of a page: those of `ENTRIES` usual keys and what belongs to them. */
  readonly pageOctets: number
  readonly makePage: (octets: number) => P
}

/**
 * Remembers very many things by a key, each for the same time. Neither an object nor a timer for each: they lie in pages, in the order in
 * which they came and will be forgotten, and the pages are used again.
 *
 * Those whose hashes have the same head are chained from the newest on; a chain ends at the first that is forgotten, so nothing has to
 * be unchained.
 */
export class TimedRing<P extends Page> {
  readonly #options: TimedRingOptions<P>
  readonly #most: number
  #heads = new Float64Array(FEWEST_HEADS).fill(NOBODY)
  readonly #pages: P[] = []
  readonly #spare: P[] = []
  /** Entries have numbers: that of their page by `ENTRIES`, and their place. */
  #firstPage = 0
  #oldestPlace = 0
  #size = 0

  constructor(options: TimedRingOptions<P>) {
    this.#options = options
    this.#most = options.most ?? Number.POSITIVE_INFINITY
  }

  get keptMs(): number {
    return this.#options.keptMs
  }

  sizeAt(now: number): number {
    this.#forget(now, this.#most)
    return this.#size
  }

  /** The page where it lies, as its last. */
  add(key: string, hash: number, bytes: Buffer, now: number): P {
    this.#forget(now, this.#most - 1)
    const page = this.#pageFor(key.length * 3 + bytes.length)
    page.add(key, bytes, hash, now)
    this.#chain(page, page.last, (this.#firstPage + this.#pages.length - 1) * ENTRIES + page.last)
    this.#size += 1
    if (this.#size > this.#heads.length) this.#addHeads()
    return page
  }

  /** The newest with this key, unless its time is over. */
  find(key: string, hash: number, now: () => number): Found<P> | undefined {
    const found = this.#at(this.#match(this.#newest(hash), key, hash))
    return found === undefined || this.#isOver(found.page, found.place, now()) ? undefined : found
  }

  /** All with this key whose time is not over, in the order in which they came. */
  findAll(key: string, hash: number, now: number): Found<P>[] {
    const all: Found<P>[] = []
    let found = this.#at(this.#match(this.#newest(hash), key, hash))
    while (found !== undefined && !this.#isOver(found.page, found.place, now)) {
      all.push(found)
      found = this.#at(this.#match(found.page.before(found.place), key, hash))
    }
    return all.reverse()
  }

  #newest(hash: number): number {
    return this.#heads[hash & (this.#heads.length - 1)] ?? NOBODY
  }

  /** From this one on along its chain. */
  #match(from: number, key: string, hash: number): number {
    const oldest = this.#firstPage * ENTRIES + this.#oldestPlace
    let number = from
    while (number >= oldest) {
      const place = number % ENTRIES
      const page = this.#pages[(number - place) / ENTRIES - this.#firstPage]
      if (page === undefined) return NOBODY
      if (page.has(place, key, hash)) return number
      number = page.before(place)
    }
    return NOBODY
  }

  #at(number: number): Found<P> | undefined {
    if (number === NOBODY) return undefined
    const place = number % ENTRIES
    const page = this.#pages[(number - place) / ENTRIES - this.#firstPage]
    return page === undefined ? undefined : { page, place }
  }

  #chain(page: P, place: number, number: number): void {
    const head = page.hashOf(place) & (this.#heads.length - 1)
    page.chain(place, this.#heads[head] ?? NOBODY)
    this.#heads[head] = number
  }

  /** So that most chains end where they begin: nearly all that is looked for is not here. */
  #addHeads(): void {
    this.#heads = new Float64Array(this.#heads.length * 4).fill(NOBODY)
    for (const [i, page] of this.#pages.entries()) {
      for (let place = 0; place < page.count; place++) this.#chain(page, place, (this.#firstPage + i) * ENTRIES + place)
    }
  }

  #isOver(page: P, place: number, now: number): boolean {
    return page.addedAt(place) + this.#options.keptMs <= now
  }

  #pageFor(octets: number): P {
    const last = this.#pages.at(-1)
    if (last?.hasRoom(octets) === true) return last
    const { pageOctets, makePage } = this.#options
    const page = octets > pageOctets ? makePage(octets) : (this.#spare.pop() ?? makePage(pageOctets))
    this.#pages.push(page)
    return page
  }

  #forget(now: number, most: number): void {
    for (let page = this.#pages[0]; page !== undefined; page = this.#pages[0]) {
      while (this.#oldestPlace < page.count && (this.#size > most || this.#isOver(page, this.#oldestPlace, now))) {
        this.#oldestPlace += 1
        this.#size -= 1
      }
      if (this.#oldestPlace < page.count) return
      this.#pages.shift()
      this.#firstPage += 1
      this.#oldestPlace = 0
      this.#putAside(page)
    }
  }

  #putAside(page: P): void {
    page.clear()
    const isUsual = page.octets.length === this.#options.pageOctets
    if (isUsual && this.#spare.length < MOST_SPARE) this.#spare.push(page)
  }
}
