import { ownCopy } from '@siplb/sip'

const SLAB = 64 * 1024
/** What is larger lies by itself. */
const LARGEST = SLAB / 16

let slab = Buffer.alloc(0)
let at = 0

/**
 * A copy for what is kept for half a minute. New buffers come from a block that they share with all that was made beside them, so
 * that a response of 400 octets would keep eighty times as much; here only what is kept lies side by side.
 */
export function keptCopy(bytes: Buffer): Buffer {
  if (bytes.length > LARGEST) return ownCopy(bytes)
  if (at + bytes.length > slab.length) {
    slab = Buffer.allocUnsafeSlow(SLAB)
    at = 0
  }
  const start = at
  at += bytes.copy(slab, start)
  return slab.subarray(start, at)
}
