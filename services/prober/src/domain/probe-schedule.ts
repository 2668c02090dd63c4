/**
 * When something is asked of one proxy again: a probe, or its load. Instants are monotonic milliseconds.
 *
 * S1. Scheduled attempts keep to a grid of one slot per interval, each within ± 10 % of its slot, so jitter never adds up.
 * S2. A proxy keeps its place in the interval; places of many proxies are spread over it.
 * S3. Slots that passed while the process stood still are left out, not made up for.
 * S4. At most one run of quick repeats is under way.
 */
export interface Plan {
  readonly intervalMs: number
  /** Of the next scheduled attempt; jitter makes `nextAt` of it. */
  readonly slotAt: number
  readonly nextAt: number
  /** Still to come, soonest first. */
  readonly repeats: readonly Repeat[]
}

interface Repeat {
  readonly attempt: number
  readonly at: number
}

/** One lost probe tells little, four in a row that the proxy is silent: so a loss is followed up at once. */
const REPEAT_AFTER_MS = [100, 200, 300]
const JITTER = 0.1

/** `place` in [0, 1): where in the interval. The first attempt comes within one interval. */
export function firstPlan(place: number, intervalMs: number, now: number, random: () => number): Plan {
  const offset = place * intervalMs
  const slotAt = offset + Math.ceil((now - offset) / intervalMs) * intervalMs
  return { intervalMs, slotAt, nextAt: jittered(slotAt, intervalMs, random), repeats: [] }
}

/** Of what is under way: looked after at every tick. */
export const NEXT_TICK = -Infinity

/** When the next attempt is due. */
export function nextDue({ nextAt, repeats: [repeat] }: Plan): number {
  return repeat === undefined ? nextAt : Math.min(nextAt, repeat.at)
}

/** The attempts that are due, 1 for a scheduled one, and the plan without them. */
export function takeDue(plan: Plan, now: number, random: () => number): { plan: Plan; attempts: readonly number[] } {
  const isScheduledDue = plan.nextAt <= now
  const due = plan.repeats.filter((repeat) => repeat.at <= now)
  if (!isScheduledDue && due.length === 0) return { plan, attempts: [] }
  const repeats = due.length === 0 ? plan.repeats : plan.repeats.slice(due.length)
  const next = isScheduledDue ? nextSlot(plan, now, random) : plan
  const attempts = due.map((repeat) => repeat.attempt)
  return { plan: { ...next, repeats }, attempts: isScheduledDue ? [1, ...attempts] : attempts }
}

/** After a lost scheduled attempt come the quick repeats. */
export function afterLoss(plan: Plan, attempt: number, now: number): Plan {
  if (attempt > 1 || plan.repeats.length > 0) return plan
  return { ...plan, repeats: REPEAT_AFTER_MS.map((ms, i) => ({ attempt: i + 2, at: now + ms })) }
}

/** It was heard of, be it by an answer or a refusal: nothing is left to find out quickly. */
export function afterNews(plan: Plan): Plan {
  return plan.repeats.length === 0 ? plan : { ...plan, repeats: [] }
}

function nextSlot(plan: Plan, now: number, random: () => number): Plan {
  const { intervalMs } = plan
  const missed = Math.max(0, Math.floor((now - plan.slotAt) / intervalMs))
  const slotAt = plan.slotAt + (missed + 1) * intervalMs
  return { ...plan, slotAt, nextAt: jittered(slotAt, intervalMs, random) }
}

function jittered(slotAt: number, intervalMs: number, random: () => number): number {
  return slotAt + (2 * random() - 1) * JITTER * intervalMs
}
