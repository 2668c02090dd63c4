/**
 * The last few values of a measurement, seen with different eyes. A peak EWMA rises at once, so what goes into it passes here
 * first: one slow probe among quick ones is not seen at all, four slow ones in a row are.
 */
export type Recent = readonly number[]

/** So many in a row must agree before it is slow: three are an accident of a busy hour now and then. */
const IN_ROW = 4
const MIDDLE_OF = 3
const KEPT = 12

export function remember(recent: Recent, value: number): Recent {
  return [...recent, value].slice(-KEPT)
}

/** The smallest of the last four; undefined while there are fewer: too young to be believed. */
export function lasting(recent: Recent): number | undefined {
  return recent.length < IN_ROW ? undefined : Math.min(...recent.slice(-IN_ROW))
}

/** The middle one of the last three. */
export function typical(recent: Recent): number | undefined {
  return recent.length < IN_ROW ? undefined : recent.slice(-MIDDLE_OF).toSorted((a, b) => a - b)[1]
}

/** The second largest: what is usual on the slow side, less one accident. */
export function crest(recent: Recent): number | undefined {
  return recent.length < IN_ROW ? undefined : recent.toSorted((a, b) => b - a)[1]
}
