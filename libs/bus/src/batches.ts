import { batchLimits } from '@siplb/contracts'
import { JsonPage } from './json-page.ts'

const [OPEN = 0, COMMA = 0, CLOSE = 0] = Buffer.from('[,]')

/**
 * Groups what is written into batches within the limits of the contract; what is larger by itself goes alone. The page is the batch that
 * is being filled: a text as large as a batch would get fresh memory each time, which costs more than to write it.
 */
export class Batches {
  readonly #page = new JsonPage()
  #full: Uint8Array[] = []
  /** Those on the page, and where the last one ends. */
  #count = 0
  #end = 0

  /** What was begun before and not ended is forgotten. */
  begin(): JsonPage {
    this.#page.end = this.#end
    this.#page.octet(this.#count === 0 ? OPEN : COMMA)
    return this.#page
  }

  end(): void {
    const isFull = this.#count === batchLimits.events || this.#page.end + 1 > batchLimits.bytes
    if (isFull && this.#count > 0) this.#moveToNext()
    this.#end = this.#page.end
    this.#count += 1
  }

  /** All of them; the next one begins a new batch. */
  take(): Uint8Array[] {
    this.#close()
    const taken = this.#full
    this.clear()
    return taken
  }

  /** Forgets them. */
  clear(): void {
    this.#full = []
    this.#count = 0
    this.#end = 0
  }

  #moveToNext(): void {
    const [start, { octets, end }] = [this.#end, this.#page]
    this.#close()
    octets.copyWithin(0, start, end)
    octets[0] = OPEN
    this.#page.end = end - start
  }

  #close(): void {
    if (this.#count === 0) return
    const batch = Buffer.allocUnsafeSlow(this.#end + 1) // all of it is written
    batch.set(this.#page.octets.subarray(0, this.#end))
    batch[this.#end] = CLOSE
    this.#full.push(batch)
    this.#count = 0
    this.#end = 0
  }
}
