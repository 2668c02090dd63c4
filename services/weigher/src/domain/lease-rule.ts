import type { Lease } from '@siplb/contracts'

/** The writer's lease of one pool, as this replica knows it. Instants are monotonic milliseconds of its own. */
export interface LeaseView {
  /** Undefined: there is none in the store. */
  readonly lease: Lease | undefined
  /** When its last revision was heard, or, later, when the bus came back. */
  readonly seenAt: number
}

/** The holder writes every second: three beats missed, and it is taken for gone. */
export const EXPIRY_MS = 3000
/** Who is not meant to write this pool leaves time for who is. */
const YIELD_MS = 500
/** Who declares a pool writes its lease: three times the expiry leave time for a weigher that is just started anew. */
const ABANDONED_MS = 10_000

/**
 * Whether to take the lease. No clocks are compared: what counts is how long this replica heard nothing new. Taking it is
 * a compare-and-set, so two that think so at once do no harm.
 */
export function mayClaim({ lease, seenAt }: LeaseView, isMeant: boolean, now: number): boolean {
  const patience = lease === undefined || lease.released === true ? 0 : EXPIRY_MS
  return now - seenAt >= patience + (isMeant ? 0 : YIELD_MS)
}

/** Whether a pool that this replica does not declare is declared by nobody: `seenAt` as above. */
export function isAbandoned(seenAt: number, now: number): boolean {
  return now - seenAt >= ABANDONED_MS
}
