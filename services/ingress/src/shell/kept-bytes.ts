import { Slab } from '@siplb/sip'

const slab = new Slab()

/**
 * A copy for what is kept for half a minute. New buffers come from a block that they share with all that was made beside them, so
 * that a response of 400 octets would keep a hundred times as much; here only what is kept lies side by side.
 */
export function keptCopy(bytes: Buffer): Buffer {
  const copy = slab.take(bytes.length)
  bytes.copy(copy)
  return copy
}
