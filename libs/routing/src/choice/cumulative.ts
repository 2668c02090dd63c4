import type { Entry, Urn } from './choice.ts'

/**
 * Draws by running sums. It keeps the order of `u`, so a sequence that is spread evenly over [0, 1) is spread evenly over the
 * proxies; O(log n) a draw.
 */
export function createCumulativeUrn(entries: readonly Entry[]): Urn {
  const sums = new Float64Array(entries.length)
  let total = 0
  entries.forEach(({ weight }, i) => {
    total += weight
    sums[i] = total
  })
  return {
    entries,
    draw(u) {
      const point = u * total
      let low = 0
      let high = entries.length - 1
      while (low < high) {
        const middle = (low + high) >>> 1
        if ((sums[middle] ?? 0) > point) high = middle
        else low = middle + 1
      }
      return entries[low]
    },
  }
}
