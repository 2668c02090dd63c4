import type { SrvRecord } from './records.ts'

/** More would only make us ask for addresses that are never tried. */
const MOST = 32

/** RFC 2782: by priority; among equals by chance, in proportion to their weights. `random` is in [0, 1). */
export function inSrvOrder(records: readonly SrvRecord[], random: () => number): readonly SrvRecord[] {
  const byPriority = records.toSorted((a, b) => a.priority - b.priority).slice(0, MOST)
  const priorities = new Set(byPriority.map(({ priority }) => priority))
  return [...priorities].flatMap((priority) =>
    inWeightedOrder(
      byPriority.filter((record) => record.priority === priority),
      random,
    ),
  )
}

// "Usage rules": those of weight 0 stand first, a number from 0 to the sum is drawn, and the first record whose running sum
// is not below it is taken: so a record of weight 0 has a very small chance, and not none.
function inWeightedOrder(equals: readonly SrvRecord[], random: () => number): readonly SrvRecord[] {
  const left = equals.toSorted((a, b) => Number(a.weight > 0) - Number(b.weight > 0))
  const ordered: SrvRecord[] = []
  while (left.length > 0) ordered.push(...left.splice(drawn(left, random), 1))
  return ordered
}

function drawn(records: readonly SrvRecord[], random: () => number): number {
  const sum = records.reduce((total, { weight }) => total + weight, 0)
  // Where all weigh nothing the rules would take them as they come; an even chance is what is meant by equal.
  if (sum === 0) return Math.floor(random() * records.length)
  let running = 0
  const mark = Math.floor(random() * (sum + 1))
  return Math.max(
    0,
    records.findIndex(({ weight }) => (running += weight) >= mark),
  )
}
