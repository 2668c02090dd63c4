/** Share at the start: enough to warm up on, little enough that a cold proxy survives it. */
const FIRST = 0.05

/** Grows straight from 5 % to 1. A proxy that came up with empty caches and connections cannot take its share at once. */
export function slowStart(elapsedMs: number, growMs: number): number {
  if (elapsedMs >= growMs) return 1
  return FIRST + (1 - FIRST) * Math.max(0, elapsedMs / growMs)
}

/** How far a proxy is that has this share: so that a weigher that takes over goes on from there. */
export function elapsedAt(share: number, growMs: number): number {
  return growMs * Math.min(1, Math.max(0, (share - FIRST) / (1 - FIRST)))
}
