import type { ResponseTime } from '@siplb/contracts'

/** Events of the same moment are weighed together. */
const GATHER_MS = 10
/** News that do not wait for the tick come at most so often. */
const HASTE_MS = 50

/** When a pool is weighed that heard, now, something that does not wait for its tick. */
export function hastyTickAt(now: number, lastTickAt: number): number {
  return Math.max(now + GATHER_MS, lastTickAt + HASTE_MS)
}

/** A load that was told never waits; of probes those do not that say that a proxy may be gone. */
export function isHasty({ outcome }: ResponseTime): boolean {
  return outcome !== 'answered'
}
