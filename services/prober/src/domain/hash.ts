/** A number in [0, 1) from a text: always the same one, and even over texts that differ little. */
export function fractionOf(text: string): number {
  // FNV-1a, whose last octets move the high bits too little, and then the finaliser of MurmurHash3, which mends that.
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32
}
