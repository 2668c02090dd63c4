import { RUINOUS_RATE } from '../factors/fault-factor.ts'

/** What the ejector looks at, for one proxy that takes part. */
export interface Candidate {
  readonly id: string
  /** Believed. */
  readonly faultRate: number
  /** Who saw it fail: ingresses, probers. */
  readonly witnesses: number
  /** It says itself that it takes nothing for a while. */
  readonly isAwayByItsWord?: boolean
}

/** Two independent witnesses: one ingress alone may have a broken network of its own. */
const WITNESSES = 2

/**
 * Who is to be ejected now: the worst first, and no more at once than `cap` allows of the pool. Ejecting one of a pool whose
 * proxies all fail helps nobody, so the others bear what the cap leaves (Envoy's max_ejection_percent).
 */
export function toEject(
  candidates: readonly Candidate[],
  alreadyEjected: number,
  poolSize: number,
  cap: number,
): string[] {
  const room = Math.max(0, Math.floor(cap * poolSize) - alreadyEjected)
  return candidates
    .filter(isOutlier)
    .toSorted((a, b) => b.faultRate - a.faultRate)
    .slice(0, room)
    .map(({ id }) => id)
}

function isOutlier({ faultRate, witnesses, isAwayByItsWord }: Candidate): boolean {
  return isAwayByItsWord === true || (faultRate >= RUINOUS_RATE && witnesses >= WITNESSES)
}
