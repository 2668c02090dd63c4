/** Straight from 1 at `from` down to `floor` at `to`, and constant beyond: the shape of factors that punish by degree. */
export function fall(
  value: number,
  { from, to, floor }: { readonly from: number; readonly to: number; readonly floor: number },
): number {
  if (value <= from) return 1
  if (value >= to) return floor
  return 1 - ((1 - floor) * (value - from)) / (to - from)
}
