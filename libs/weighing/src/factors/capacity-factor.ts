import type { WorkFit } from '../signals/queueing-fit.ts'

/**
 * c: what a proxy can take, learned, against what its base weight says of it. It preserves the sum of the base weights, so
 * some factors are over 1 and some under.
 *
 * C1. Nothing is learned while nobody waits: only a delay over the tolerance tells that it matters.
 * C2. Near 1 is 1: proxies that are alike keep exactly their base weights.
 * C3. What was learned is kept, and fades when there is no new evidence.
 */
export interface LearnedCapacity {
  /** Logarithm of the factor. */
  readonly log: number
  readonly at: number
  /** Whether it has left 1. */
  readonly isApart: boolean
}

export interface CapacityRules {
  readonly toleranceMs: number
  readonly deadBand: number
  readonly memoryMs: number
}

export interface CapacityEvidence {
  readonly baseWeight: number
  readonly fit: WorkFit | undefined
  readonly learned: LearnedCapacity
}

/** How fast a factor follows: fits follow over half a minute, and this only takes the jumps off. */
const FOLLOW_MS = 4000
const DOUBT = 2
const LARGEST_LOG = Math.log(16)

export function asConfigured(now: number): LearnedCapacity {
  return { log: 0, at: now, isApart: false }
}

/** As another weigher learned it. */
export function learned(capacity: number, now: number): LearnedCapacity {
  return { log: bounded(Math.log(capacity)), at: now, isApart: capacity !== 1 }
}

export function capacityOf({ log, isApart }: LearnedCapacity): number {
  return isApart ? Math.exp(log) : 1
}

/** What is known of each proxy's capacity now. */
export function learnCapacities(
  tier: readonly CapacityEvidence[],
  now: number,
  rules: CapacityRules,
): LearnedCapacity[] {
  const known = tier.filter(isTelling)
  const isMaterial = known.length > 1 && known.some(({ fit }) => fit.delayMs >= rules.toleranceMs)
  if (!isMaterial) return tier.map(({ learned }) => faded(learned, now, rules))
  const base = known.reduce((sum, { baseWeight }) => sum + baseWeight, 0)
  const capacity = known.reduce((sum, { fit }) => sum + capacityBy(fit), 0)
  return tier.map((one) => {
    if (!isTelling(one)) return faded(one.learned, now, rules)
    const ratio = (capacityBy(one.fit) / one.baseWeight) * (base / capacity)
    const wanted = believed(Math.log(ratio), one.fit)
    // Figures at the edge of what numbers can hold tell nothing, and NaN would stay.
    return Number.isNaN(wanted) ? faded(one.learned, now, rules) : followed(one.learned, wanted, now, rules)
  })
}

function isTelling(one: CapacityEvidence): one is CapacityEvidence & { readonly fit: WorkFit } {
  return one.fit !== undefined && one.baseWeight > 0 && one.fit.errorMs > 0
}

/** INVITEs per millisecond. A slope that cannot be told from none is taken as steep as it may be: the careful guess. */
function capacityBy({ slopeMs, errorMs }: WorkFit): number {
  return 1 / Math.max(slopeMs, 2 * errorMs)
}

/**
 * A departure that is not much larger than its error is mostly error (the non-negative garrote: Breiman, Technometrics 1995):
 * one of two errors and less is not believed at all, one of six wholly but for a tenth.
 */
function believed(log: number, { slopeMs, errorMs }: WorkFit): number {
  const error = errorMs / Math.max(slopeMs, 2 * errorMs)
  return log === 0 ? 0 : log * Math.max(0, 1 - ((DOUBT * error) / log) ** 2)
}

function followed(prior: LearnedCapacity, wanted: number, now: number, rules: CapacityRules): LearnedCapacity {
  const kept = Math.exp(-(now - prior.at) / FOLLOW_MS)
  const log = prior.log * kept + bounded(wanted) * (1 - kept)
  return { log, at: now, isApart: isApart(prior, log, rules) }
}

function faded(prior: LearnedCapacity, now: number, rules: CapacityRules): LearnedCapacity {
  const log = prior.log * Math.exp(-(now - prior.at) / rules.memoryMs)
  return { log, at: now, isApart: isApart(prior, log, rules) }
}

/** As with other factors, 1 is left only for three dead bands, and taken up again within one. */
function isApart(prior: LearnedCapacity, log: number, { deadBand }: CapacityRules): boolean {
  return Math.abs(log) > Math.log(1 + (prior.isApart ? 1 : 3) * deadBand)
}

function bounded(log: number): number {
  return Math.max(-LARGEST_LOG, Math.min(LARGEST_LOG, log))
}
