/**
 * Effective weight of a proxy that takes part: never under the floor, or it could never be seen to recover. `capacity`: what it
 * can take, against its base weight.
 */
export function effectiveWeight(baseWeight: number, factor: number, floor: number, capacity = 1): number {
  if (factor >= 1 && capacity === 1) return baseWeight
  return tidy(baseWeight * capacity * Math.max(floor, Math.min(1, factor)))
}

/** Four digits are more than measurements know; a number that a person reads should not have sixteen. */
function tidy(weight: number): number {
  return Number(weight.toPrecision(4))
}
