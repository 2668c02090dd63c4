/**
 * The lower median: of two values the smaller, so that in a pool of two the quick proxy is the measure of the slow one, and
 * not half of both.
 */
export function lowerMedian(values: readonly number[]): number | undefined {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)]
}
