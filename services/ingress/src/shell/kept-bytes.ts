const SLAB = 64 * 1024
/** What is larger lies by itself. */
const LARGEST = SLAB / 16

let slab = Buffer.alloc(0)
let at = 0

/**
 * A copy for what is kept for half a minute. New buffers come from a block that they share with all that was made beside them, so
 * that a response of 400 octets would keep ten times as much; here only what is kept lies side by side.
 */
export class KeptBytes {
  readonly #slab: Buffer
  readonly #start: number
  readonly #length: number

  constructor(bytes: Buffer) {
    this.#length = bytes.length
    if (bytes.length > LARGEST) {
      this.#slab = bytes
      this.#start = 0
      return
    }
    if (at + bytes.length > slab.length) {
      slab = Buffer.allocUnsafeSlow(SLAB)
      at = 0
    }
    this.#slab = slab
    this.#start = at
    at += bytes.copy(slab, at)
  }

  get bytes(): Buffer {
    return this.#slab.subarray(this.#start, this.#start + this.#length)
  }
}
