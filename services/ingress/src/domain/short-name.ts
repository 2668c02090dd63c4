/**
 * A short name for a text of any length, the same in every instance: 128 bits in four lanes of FNV-1a (Fowler, Noll, Vo), each with a
 * multiplier of its own, mixed at the end. No two texts have the same by chance; who tries can make two of his own that do.
 */
export function shortName(text: string): string {
  let a = 0x811c9dc5
  let b = 0x9747b28c
  let c = 0x3c6ef372
  let d = 0x1b873593
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    a = Math.imul(a ^ unit, 0x01000193)
    b = Math.imul(b ^ unit, 0x5bd1e995)
    c = Math.imul(c ^ unit, 0x85ebca6b)
    d = Math.imul(d ^ unit, 0xc2b2ae35)
  }
  return textOf(a) + textOf(b ^ a) + textOf(c ^ b) + textOf(d ^ c)
}

// `toString(36)` reckons in floating point, digit by digit.
function inBase36(lane: number): string {
  const high = Math.floor(lane / 46_656) // 36 ** 3
  const low = lane - high * 46_656
  return (
    digit(high / 46_656) +
    digit(high / 1296) +
    digit(high / 36) +
    digit(high) +
    digit(low / 1296) +
    digit(low / 36) +
    digit(low)
  )
}

const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyz'
const digit = (rest: number): string => DIGITS.charAt((rest | 0) % 36)

// The finaliser of MurmurHash3 (Appleby): every bit of the lane changes each bit of the text half of the time.
function textOf(lane: number): string {
  let h = lane
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return inBase36((h ^ (h >>> 16)) >>> 0)
}
