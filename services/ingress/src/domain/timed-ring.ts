/** Entries of a page. */
export const ENTRIES = 256
const NOBODY = -1
/** A power of two. */
const FEWEST_HEADS = 1024
/** Empty pages that wait to be used again. */
const MOST_SPARE = 4
const nothing = Buffer.alloc(0)

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

  before(place: number): number {
    return this.#befores[place] ?? NOBODY
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

  add(key: string, bytes: Buffer, hash: number, before: number, now: number): void {
    const place = this.count
    const start = this.#startOf(place)
    const keyEnd = start + this.octets.write(key, start)
    this.#addedAt[place] = now
    this.#hashes[place] = hash
    this.#befores[place] = before
    this.#keyEnds[place] = keyEnd
    this.#ends[place] = keyEnd + bytes.copy(this.octets, keyEnd)
    this.count += 1
  }

  /** The time of this entry is over: what its columns refer to is let go of. */
  release(_place: number): void {}

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

/** Where chains begin. */
class Heads {
  /** One more than they are: 0 is nobody, as in fresh memory, so that to take a lot of it takes no time. */
  readonly #newest: Float64Array
  /**
   * Of each chain, which bits the hashes in it have (Bloom 1970, with one function): nearly all that is looked for is not here, and this
   * small array says so, where to follow a chain costs a cache miss for each step.
   */
  readonly #marks: Uint8Array

  constructor(count: number) {
    this.#newest = new Float64Array(count)
    this.#marks = new Uint8Array(count)
  }

  get count(): number {
    return this.#marks.length
  }

  /** Of those that may have this hash, the number of the one that came last. */
  newest(hash: number): number {
    const head = hash & (this.#marks.length - 1)
    return ((this.#marks[head] ?? 0) & markOf(hash)) === 0 ? NOBODY : (this.#newest[head] ?? 0) - 1
  }

  /** Puts it before the chain, and gives the one that was the newest there. @param oldest before it all are forgotten */
  add(hash: number, number: number, oldest: number): number {
    const head = hash & (this.#marks.length - 1)
    const before = (this.#newest[head] ?? 0) - 1
    this.#marks[head] = before < oldest ? markOf(hash) : (this.#marks[head] ?? 0) | markOf(hash)
    this.#newest[head] = number + 1
    return before
  }
}

/** By the highest bits, for the lowest choose the head. */
const markOf = (hash: number): number => 1 << (hash >>> 29)

/** Those of the entries before `end` for which there is no later one. */
interface OldHeads {
  readonly heads: Heads
  readonly end: number
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
  #heads = new Heads(FEWEST_HEADS)
  /** The latest first. To chain all anew in more heads would take so long that calls wait. */
  readonly #oldHeads: OldHeads[] = []
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
  add(key: string, hash: number, now: number, bytes: Buffer = nothing): P {
    this.#forget(now, this.#most - 1)
    const page = this.#pageFor(key.length * 3 + bytes.length)
    page.add(key, bytes, hash, this.#heads.add(hash, this.#end, this.#oldest), now)
    this.#size += 1
    this.#fitHeads()
    return page
  }

  /** The newest with this key, unless its time is over. */
  find(key: string, hash: number, now: () => number): Found<P> | undefined {
    let found = this.#match(this.#heads.newest(hash), key, hash)
    for (let i = 0; found === undefined && i < this.#oldHeads.length; i++) {
      found = this.#match(this.#oldHeads[i]?.heads.newest(hash) ?? NOBODY, key, hash)
    }
    return found === undefined || this.#isOver(found.page, found.place, now()) ? undefined : found
  }

  /** All with this key whose time is not over, in the order in which they came. */
  findAll(key: string, hash: number, now: number): Found<P>[] {
    const all: Found<P>[] = []
    for (const heads of [this.#heads, ...this.#oldHeads.map((old) => old.heads)]) {
      let found = this.#match(heads.newest(hash), key, hash)
      while (found !== undefined && !this.#isOver(found.page, found.place, now)) {
        all.push(found)
        found = this.#match(found.page.before(found.place), key, hash)
      }
    }
    return all.reverse()
  }

  /** From this one on along its chain. */
  #match(from: number, key: string, hash: number): Found<P> | undefined {
    const oldest = this.#oldest
    for (let number = from; number >= oldest;) {
      const place = number % ENTRIES
      const page = this.#pages[(number - place) / ENTRIES - this.#firstPage]
      if (page === undefined) return undefined
      if (page.has(place, key, hash)) return { page, place }
      number = page.before(place)
    }
    return undefined
  }

  get #oldest(): number {
    return this.#firstPage * ENTRIES + this.#oldestPlace
  }

  /** The number behind the newest. */
  get #end(): number {
    const last = this.#pages.at(-1)
    return last === undefined ? this.#oldest : (this.#firstPage + this.#pages.length - 1) * ENTRIES + last.count
  }

  /** As many as there are entries, so that most chains end where they begin: nearly all that is looked for is not here. */
  #fitHeads(): void {
    const { count } = this.#heads
    if (this.#size > count) this.#takeHeads(count * 4)
    else if (this.#size < count / 64 && count > FEWEST_HEADS) this.#takeHeads(count / 16)
  }

  #takeHeads(count: number): void {
    this.#oldHeads.unshift({ heads: this.#heads, end: this.#end })
    this.#heads = new Heads(Math.max(count, FEWEST_HEADS))
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
        page.release(this.#oldestPlace)
        this.#oldestPlace += 1
        this.#size -= 1
      }
      if (this.#oldestPlace < page.count) break
      this.#pages.shift()
      this.#firstPage += 1
      this.#oldestPlace = 0
      this.#putAside(page)
    }
    while ((this.#oldHeads.at(-1)?.end ?? Infinity) <= this.#oldest) this.#oldHeads.pop()
  }

  #putAside(page: P): void {
    page.clear()
    const isUsual = page.octets.length === this.#options.pageOctets
    if (isUsual && this.#spare.length < MOST_SPARE) this.#spare.push(page)
  }
}
