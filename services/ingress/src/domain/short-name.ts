const LANE_DIGITS = 7
const digits = Buffer.from('0123456789abcdefghijklmnopqrstuvwxyz')
const octets = Buffer.alloc(4 * LANE_DIGITS)

/**
 * A short name for texts of any length, as if they were one, the same in every instance: 128 bits in four lanes of FNV-1a (Fowler, Noll,
 * Vo), each with a multiplier of its own, mixed at the end. No two have the same by chance; who tries can make two of his own that do.
 */
export function shortName(...texts: readonly string[]): string {
  let a = 0x811c9dc5
  let b = 0x9747b28c
  let c = 0x3c6ef372
  let d = 0x1b873593
  for (const text of texts) {
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      a = Math.imul(a ^ unit, 0x01000193)
      b = Math.imul(b ^ unit, 0x5bd1e995)
      c = Math.imul(c ^ unit, 0x85ebca6b)
      d = Math.imul(d ^ unit, 0xc2b2ae35)
    }
  }
  write(0, a)
  write(1, b ^ a)
  write(2, c ^ b)
  write(3, d ^ c)
  return octets.toString('latin1')
}

// To base 36; `toString(36)` reckons in floating point, digit by digit.
function write(lane: number, value: number): void {
  let rest = mixed(value)
  for (let at = (lane + 1) * LANE_DIGITS - 1; at >= lane * LANE_DIGITS; at--) {
    octets[at] = digits[rest % 36] ?? 0
    rest = Math.floor(rest / 36)
  }
}

// The finaliser of MurmurHash3 (Appleby): every bit of the lane changes each bit of the text half of the time.
function mixed(lane: number): number {
  let h = lane
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
