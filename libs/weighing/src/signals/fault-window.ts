import type { IngressView, Interval } from './ingress-view.ts'

/**
 * So many faults in a row, and nothing that ended well beside them, are believed though there were few requests: at a fault
 * rate of 20 % that happens once in 400,000 requests.
 */
const IN_ROW = 8
/** How long an ingress for which requests ended well contradicts the others. */
const CONTRADICTS_MS = 1000

/** What is known of a proxy's faults at an instant. */
export interface FaultRate {
  readonly rate: number
  readonly requests: number
  /** Whether there were enough requests to believe it. */
  readonly isBelieved: boolean
}

export interface FaultRules {
  readonly windowMs: number
  readonly minRequests: number
}

/** `probeFaultsInRow`: probes that were answered 500, 503 or 504. They count where real traffic does not know better. */
export function faultRate(
  views: readonly IngressView[],
  probeFaultsInRow: number,
  now: number,
  { windowMs, minRequests }: FaultRules,
): FaultRate {
  const { ended, faults } = sumWithin(views, now, windowMs)
  const row = isContradicted(views, now) ? 0 : views.reduce((sum, view) => sum + view.faultsInRow, 0)
  const longestRow = row > 0 || ended === 0 ? row + probeFaultsInRow : 0
  if (longestRow >= IN_ROW) return { rate: 1, requests: longestRow, isBelieved: true }
  return { rate: ended === 0 ? 0 : faults / ended, requests: ended, isBelieved: ended >= minRequests }
}

function isContradicted(views: readonly IngressView[], now: number): boolean {
  return views.some((view) => view.faultsInRow === 0 && sumWithin([view], now, CONTRADICTS_MS).ended > 0)
}

export interface Held {
  readonly rate: number
  readonly at: number
}

/**
 * A proxy that lost its share gets too few requests to be judged by. So the last believed rate holds and fades within the
 * window's length: the proxy grows back step by step, and the first faults of a still broken one stop it.
 */
export function holdRate(held: Held, seen: FaultRate, now: number): Held {
  return seen.isBelieved ? { rate: seen.rate, at: now } : held
}

export function heldRate(held: Held, now: number, windowMs: number): number {
  return held.rate * Math.exp(-Math.max(0, now - held.at) / windowMs)
}

export function sumWithin(views: readonly IngressView[], now: number, ms: number): Omit<Interval, 'at'> {
  const sum = { requests: 0, ended: 0, faults: 0, refusals: 0 }
  for (const view of views) {
    for (const interval of view.intervals) {
      if (now - interval.at >= ms) continue
      sum.requests += interval.requests
      sum.ended += interval.ended
      sum.faults += interval.faults
      sum.refusals += interval.refusals
    }
  }
  return sum
}
