import type { Entry, Urn } from './choice.ts'

/**
 * Draws by the alias method (Walker 1977, built as in Vose 1991) in the same time for any number of proxies. Each column has the
 * same width; it belongs to one entry up to `shares[i]`, and above that to `aliases[i]`.
 */
export function createAliasUrn(entries: readonly Entry[]): Urn {
  const { shares, aliases } = columnsOf(entries.map(({ weight }) => weight))
  return {
    entries,
    draw(u) {
      const place = u * entries.length
      const column = Math.floor(place)
      return entries[place - column < (shares[column] ?? 1) ? column : (aliases[column] ?? column)]
    },
  }
}

function columnsOf(weights: readonly number[]): { shares: Float64Array; aliases: Uint32Array } {
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const shares = Float64Array.from(weights, (weight) => (weight * weights.length) / total)
  const aliases = Uint32Array.from(weights, (_, i) => i)
  const poor: number[] = []
  const rich: number[] = []
  shares.forEach((share, i) => (share < 1 ? poor : rich).push(i))
  for (let giver = rich.pop(); giver !== undefined; giver = rich.pop()) {
    const taker = poor.pop()
    if (taker === undefined) break
    aliases[taker] = giver
    const left = (shares[giver] ?? 0) - (1 - (shares[taker] ?? 0))
    shares[giver] = left
    if (left < 1) poor.push(giver)
    else rich.push(giver)
  }
  // What rounding left in either list has a column of its own.
  for (const i of poor) shares[i] = 1
  for (const i of rich) shares[i] = 1
  return { shares, aliases }
}
