import type { Outcomes, ProxyTraffic } from '@siplb/contracts'

/** What one ingress told of one proxy. Instants are monotonic milliseconds of receipt. */
export interface IngressView {
  readonly at: number
  /** The workers of one are one witness: they share a machine and its network. */
  readonly instance: string
  /** Figures of now: each report replaces them, so they cannot drift. */
  readonly inFlight: number
  readonly dialogs: number
  /** What happened within the window, oldest first. */
  readonly intervals: readonly Interval[]
  /** New requests since the last sign of life. */
  readonly unanswered: Stretch
  /** New requests since the last response time; one that was sent twice gives none (Karn). */
  readonly unsampled: Stretch
  readonly answeredAt: number | undefined
  readonly transportErrorAt: number | undefined
  /** Faults since the last request that ended well. */
  readonly faultsInRow: number
}

export interface Interval {
  readonly at: number
  readonly requests: number
  readonly ended: number
  readonly faults: number
  readonly refusals: number
}

export interface Stretch {
  readonly requests: number
  readonly since: number
}

/** An ingress that says nothing for so long is gone, and what it had in flight with it. */
const LEASE_MS = 2000

const nothing: Stretch = { requests: 0, since: 0 }

export const newIngressView: IngressView = {
  at: Number.NEGATIVE_INFINITY,
  instance: '',
  inFlight: 0,
  dialogs: 0,
  intervals: [],
  unanswered: nothing,
  unsampled: nothing,
  answeredAt: undefined,
  transportErrorAt: undefined,
  faultsInRow: 0,
}

export interface ReportRules {
  readonly windowMs: number
  /** A request times out 32 s after it was sent: of a proxy that was out meanwhile this is no news. */
  readonly areTimeoutsOld: boolean
}

export function heard(view: IngressView, report: ProxyTraffic, now: number, rules: ReportRules): IngressView {
  const { requests, outcomes } = report
  const { answered, faults, ended } = countEnds(outcomes, rules.areTimeoutsOld)
  const samples = Object.values(report.responseTimes).reduce((sum, sketch) => sum + sketch.count, 0)
  const hasAnswered = answered > 0 || samples > 0
  const isEvent = requests > 0 || ended > 0
  const { good, bad } = beginningsOf(report, { ended, faults }, rules.areTimeoutsOld)
  const interval = { at: now, requests, ended: good + bad, faults: bad, refusals: outcomes.refusal }
  const kept = view.intervals.filter(({ at }) => now - at < rules.windowMs)
  return {
    at: now,
    instance: view.instance,
    inFlight: report.inFlight,
    dialogs: report.dialogs,
    intervals: isEvent ? [...kept, interval] : kept,
    unanswered: hasAnswered ? nothing : longer(view.unanswered, requests, now),
    unsampled: samples > 0 ? nothing : longer(view.unsampled, Math.max(requests, newlyWaiting(view, report)), now),
    answeredAt: hasAnswered ? now : view.answeredAt,
    transportErrorAt: outcomes.transportError > 0 ? now : view.transportErrorAt,
    faultsInRow: good > 0 ? 0 : view.faultsInRow + bad,
  }
}

/** A report of this ingress that does not name the proxy: nothing is there now. */
export function heardNothing(view: IngressView, now: number): IngressView {
  return { ...view, at: now, inFlight: 0, dialogs: 0 }
}

/** A proxy that was out begins anew: what it did before says nothing of it now. */
export function forgiven(view: IngressView): IngressView {
  return {
    ...view,
    intervals: [],
    unanswered: nothing,
    unsampled: nothing,
    transportErrorAt: undefined,
    faultsInRow: 0,
  }
}

export function isPresent(view: IngressView, now: number): boolean {
  return now - view.at < LEASE_MS
}

/** New requests within the last `ms`. */
export function requestsWithin(view: IngressView, now: number, ms: number): number {
  return view.intervals.reduce((sum, { at, requests }) => (now - at < ms ? sum + requests : sum), 0)
}

/** At least so many requests, the first of them at least so long ago, and nothing came back. */
export function isStarved(
  stretch: Stretch,
  now: number,
  { requests, ms }: { readonly requests: number; readonly ms: number },
): boolean {
  return stretch.requests >= requests && now - stretch.since >= ms
}

/**
 * What a report tells of new requests: an end comes when the callee picks up, long after the proxy took the request, so a proxy that
 * refuses everything since a second ago still has many that end well. A program that tells ends only is taken by them.
 */
function beginningsOf(
  { fresh, outcomes }: ProxyTraffic,
  ends: Ends,
  areTimeoutsOld: boolean,
): { good: number; bad: number } {
  if (fresh === undefined) return { good: ends.ended - ends.faults, bad: ends.faults }
  const failed = Math.max(0, fresh.failed - (areTimeoutsOld ? outcomes.timeout : 0))
  // Of requests inside dialogs it tells nothing whether they end well, but that they cannot be sent does.
  const unsent = Math.max(0, outcomes.transportError - fresh.failed)
  return { good: Math.max(0, fresh.accepted - fresh.failedLater), bad: failed + fresh.failedLater + unsent }
}

interface Ends {
  readonly ended: number
  readonly faults: number
}

/** Requests inside dialogs wait too: those that are outstanding count as one stretch. */
function newlyWaiting({ unsampled }: IngressView, { work }: ProxyTraffic): number {
  return unsampled.requests === 0 ? Math.floor(work) : 0
}

function longer(stretch: Stretch, requests: number, now: number): Stretch {
  if (requests === 0) return stretch
  return { requests: stretch.requests + requests, since: stretch.requests === 0 ? now : stretch.since }
}

// RFC 6076 ("ISA"): 408 by our timer, 500, 503 and 504 are failures of the server; other refusals are its work.
function countEnds(outcomes: Outcomes, areTimeoutsOld: boolean) {
  const { success, redirection, refusal, cancelled, unavailable, serverError, timeout, transportError } = outcomes
  const well = success + redirection + refusal + cancelled
  const faults = unavailable + serverError + transportError + (areTimeoutsOld ? 0 : timeout)
  return { answered: well + unavailable + serverError, faults, ended: well + faults }
}
