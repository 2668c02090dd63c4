import type { Entry, Urn } from './choice.ts'

/**
 * Draws by running sums. It keeps the order of `u`, so a sequence that is spread evenly over [0, 1) is spread evenly over the
 * proxies. A guide says where to begin (Chen and Asau 1974, "On generating random variates from an empirical distribution"): a
 * draw costs the same for any number of proxies, and O(log n) with the most uneven weights.
 */
export function createCumulativeUrn(entries: readonly Entry[]): Urn {
  const sums = sumsOf(entries)
  const last = entries.length - 1
  const total = sums[last] ?? 0
  const bucketsPerUnit = total > 0 ? entries.length / total : 0
  const guide = guideOf(sums, bucketsPerUnit)
  return {
    entries,
    draw(u) {
      const point = u * total
      const bucket = Math.floor(point * bucketsPerUnit)
      let low = guide[bucket] ?? 0
      let high = Math.min(guide[bucket + 1] ?? last, last)
      while (low < high) {
        const middle = (low + high) >>> 1
        if ((sums[middle] ?? 0) > point) high = middle
        else low = middle + 1
      }
      return entries[low]
    },
  }
}

function sumsOf(entries: readonly Entry[]): Float64Array {
  const sums = new Float64Array(entries.length)
  let total = 0
  entries.forEach(({ weight }, i) => {
    total += weight
    sums[i] = total
  })
  return sums
}

/** For each bucket the first sum in it or behind it. Point and sum are put into a bucket alike, so rounding cannot part them. */
function guideOf(sums: Float64Array, bucketsPerUnit: number): Uint32Array {
  const guide = new Uint32Array(sums.length + 2)
  let at = 0
  for (let bucket = 0; bucket < guide.length; bucket++) {
    while (at < sums.length && Math.floor((sums[at] ?? 0) * bucketsPerUnit) < bucket) at += 1
    guide[bucket] = at
  }
  return guide
}
