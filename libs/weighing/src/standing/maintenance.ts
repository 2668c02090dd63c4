import type { ProxyTraffic } from '@siplb/contracts'

/**
 * A proxy that refuses everything with 503 and says when to come back (RFC 3261, 20.33 and 21.5.4) is being looked after: its word
 * is witness enough. One such answer among others may come from somebody behind it, so it has to be all that comes.
 */
export interface Maintenance {
  readonly until: number
  readonly forMs: number
}

/** So many in a row. */
const LEAST_REFUSALS = 3
/** Nobody is believed for longer, as with Kamailio. */
const LONGEST_MS = 3_600_000

export function maintenanceIn(
  { retryAfterMs, fresh, outcomes }: ProxyTraffic,
  faultsInRow: number,
  now: number,
): Maintenance | undefined {
  if (retryAfterMs === undefined || outcomes.unavailable === 0) return undefined
  const isAll = fresh === undefined ? outcomes.success === 0 : fresh.accepted === 0
  if (!isAll || faultsInRow < LEAST_REFUSALS) return undefined
  const forMs = Math.min(LONGEST_MS, retryAfterMs)
  return { until: now + forMs, forMs }
}
