/** Effective weight of a proxy that takes part: never under the floor, or it could never be seen to recover. */
export function effectiveWeight(baseWeight: number, factor: number, floor: number): number {
  if (factor >= 1) return baseWeight
  return tidy(baseWeight * Math.max(floor, factor))
}

/** Four digits are more than measurements know; a number that a person reads should not have sixteen. */
function tidy(weight: number): number {
  return Number(weight.toPrecision(4))
}
