import { lowerMedian } from '../signals/median.ts'

/** Fewer requests say nothing. */
const LEAST_REQUESTS = 30
const TIMES_MEDIAN = 5
/** Where the others refuse nothing, five times nothing is not a measure; a quarter of all requests is. */
const LEAST_MEDIAN = 0.05
const FACTOR = 0.5

export interface Refusals {
  readonly requests: number
  readonly refusals: number
}

/**
 * A proxy that refuses what the others accept, such as one that lost its database and answers 404 at once, is never busy and
 * so would draw ever more requests (measured: 27 % of the calls of eight). Its weight is halved; no more, since a refusal may
 * be right: a proxy is not to be starved because of one caller's wrong numbers.
 */
export function refusalFactors(pool: readonly Refusals[]): number[] {
  const shares = pool.map((seen) => (seen.requests < LEAST_REQUESTS ? undefined : seen.refusals / seen.requests))
  const known = shares.filter((share) => share !== undefined)
  const limit = TIMES_MEDIAN * Math.max(LEAST_MEDIAN, lowerMedian(known) ?? 0)
  return shares.map((share) => (known.length > 1 && share !== undefined && share > limit ? FACTOR : 1))
}
