const BLOCK = 64 * 1024
/** What is larger lies by itself. */
const LARGEST = BLOCK / 16

/**
 * Gives out pieces of larger blocks, side by side. Each block is a memory of its own, which takes longer to get than a message to write;
 * it stays as long as any piece of it.
 */
export class Slab {
  #block = Buffer.alloc(0)
  #end = 0

  /** Not filled with anything. */
  take(octets: number): Buffer {
    if (octets > LARGEST) return Buffer.allocUnsafeSlow(octets)
    if (this.#end + octets > this.#block.length) {
      this.#block = Buffer.allocUnsafeSlow(BLOCK)
      this.#end = 0
    }
    const start = this.#end
    this.#end += octets
    return this.#block.subarray(start, this.#end)
  }
}
