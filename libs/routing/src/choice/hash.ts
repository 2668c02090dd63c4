/** A hash in two lanes of 32 bits. */
export interface Hash {
  readonly high: number
  readonly low: number
}

/**
 * Hash of a text: FNV-1a (Fowler, Noll, Vo) over its UTF-16 units, with a multiplier of its own in each lane, then mixed. Every
 * location and ingress must come to the same, in every version: a change here moves all keys.
 */
export function hashOf(text: string): Hash {
  let high = 0x811c9dc5
  let low = 0x9747b28c
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    high = Math.imul(high ^ unit, 0x01000193)
    low = Math.imul(low ^ unit, 0x5bd1e995)
  }
  return { high: mixed(high), low: mixed(low) }
}

/** A number in (0, 1), never 0 and never 1, that both hashes decide: as good as drawn by chance for each pair of them. */
export function unitOf(a: Hash, b: Hash): number {
  const high = mixed(a.high ^ b.high)
  const low = mixed((a.low ^ b.low) + high)
  return ((high >>> 0) * 2 ** 20 + (low >>> 12) + 0.5) / 2 ** 52
}

// Austin Appleby's finaliser of MurmurHash3: every bit of the input changes each bit of the output half of the time.
function mixed(value: number): number {
  let h = value
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
