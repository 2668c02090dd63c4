/**
 * When this process itself was late. An answer that waited for us in the socket looks like a slow proxy, so a figure is
 * held against our own lateness before it is believed (the idea: HashiCorp, "Lifeguard", DSN 2018).
 */
export interface SelfHealth {
  readonly stalls: readonly Stall[]
}

/** The event loop may have stood still all that time. */
interface Stall {
  readonly from: number
  readonly to: number
}

export const healthy: SelfHealth = { stalls: [] }

/** Response-time differences under 5 ms change no weight, so shorter stalls do no harm. */
const HARMLESS_MS = 5
/** … nor do those that are a small part of the figure. */
const HARMLESS_SHARE = 0.1
/** The longest that a probe may wait for its answer; older stalls concern nobody. */
const KEPT_MS = 40_000

/**
 * A tick that came at `now`, `lateMs` after it was due. The loop was stuck from some instant of the period before: the whole
 * of it is suspected.
 */
export function ticked(health: SelfHealth, now: number, lateMs: number, periodMs: number): SelfHealth {
  const isLate = lateMs > HARMLESS_MS
  const hasOld = health.stalls[0] !== undefined && health.stalls[0].to < now - KEPT_MS
  if (!isLate && !hasOld) return health
  const stalls = health.stalls.filter((stall) => stall.to >= now - KEPT_MS)
  return { stalls: isLate ? [...stalls, { from: now - lateMs - periodMs, to: now }] : stalls }
}

/** Whether our own lateness may be a good part of what was measured between the two instants. */
export function isDoubtful(health: SelfHealth, from: number, to: number): boolean {
  let stalledMs = 0
  for (const stall of health.stalls) stalledMs += Math.max(0, Math.min(to, stall.to) - Math.max(from, stall.from))
  return stalledMs > Math.max(HARMLESS_MS, HARMLESS_SHARE * (to - from))
}
