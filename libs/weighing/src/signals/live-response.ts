import { quantileMs, type LatencySketch } from '@siplb/contracts'
import { noResponseLevel, observeLevel, raised, type ResponseLevel } from './response-level.ts'

/** A median of fewer requests is chance. */
const FEWEST = 5
/** Queues of a busy proxy come and go within less: a median is to be over more than one of them. */
const GATHER_MS = 500
/** However long the queue was, so much of a response time is taken for the proxy's own. */
const LEAST_OWN = 0.1
/** Evidence fades with this time constant: ten requests of half a minute ago say little. */
const EVIDENCE_DECAY_MS = 10_000

/**
 * Response time of a proxy for one method of real traffic, over all ingresses. Requests are gathered until there are enough
 * for a median; the median, not the mean, because a few calls to slow places say nothing about the proxy.
 */
export interface LiveResponse {
  readonly pending: LatencySketch
  /** Of the pending requests, how long they all together waited for the work ahead of them. */
  readonly pendingWaitMs: number
  /** When the last median was taken. */
  readonly takenAt: number
  readonly level: ResponseLevel
  /** Requests behind it, faded to `at`. */
  readonly evidence: number
  readonly at: number
}

const emptySketch: LatencySketch = { count: 0, sumMs: 0, maxMs: 0, buckets: [] }

export const noLiveResponse: LiveResponse = {
  pending: emptySketch,
  pendingWaitMs: 0,
  takenAt: Number.NEGATIVE_INFINITY,
  level: noResponseLevel,
  evidence: 0,
  at: 0,
}

/**
 * `meanWaitMs`: how long such a request waited for the work ahead of it, as far as that is known. It is taken off: a queue that came
 * by chance says nothing of the proxy, and a weight that follows it is taken from one and too much for the others.
 */
export function observeLive(
  prior: LiveResponse,
  sketch: LatencySketch,
  meanWaitMs: number,
  now: number,
  decayMs: number,
): LiveResponse {
  if (sketch.count === 0) return prior
  const pending = merge(prior.pending, sketch)
  const pendingWaitMs = prior.pendingWaitMs + meanWaitMs * sketch.count
  const evidence = evidenceAt(prior, now) + sketch.count
  const isEnough = pending.count >= FEWEST && now - prior.takenAt >= GATHER_MS
  const median = isEnough ? quantileMs(pending, 0.5) : undefined
  if (median === undefined) return { ...prior, pending, pendingWaitMs, evidence, at: now }
  const ownMs = Math.max(LEAST_OWN * median, median - pendingWaitMs / pending.count)
  const level = observeLevel(prior.level, ownMs, now, decayMs)
  return { pending: emptySketch, pendingWaitMs: 0, takenAt: now, level, evidence, at: now }
}

/**
 * Requests that got nothing for so long: an honest sample, at least as bad as the present estimate. Without it a proxy that
 * answers only after the first retransmission (500 ms) would give no samples at all (Karn) and keep its good name.
 */
export function observeWaiting(prior: LiveResponse, waitedMs: number, requests: number, now: number): LiveResponse {
  const evidence = Math.max(evidenceAt(prior, now), requests)
  return { ...prior, level: raised(prior.level, waitedMs, now), evidence, at: now }
}

/** How many requests stand behind it now. */
export function evidenceAt(live: LiveResponse, now: number): number {
  return live.evidence * Math.exp(-(now - live.at) / EVIDENCE_DECAY_MS)
}

function merge(a: LatencySketch, b: LatencySketch): LatencySketch {
  const counts = new Map(a.buckets)
  for (const [index, count] of b.buckets) counts.set(index, (counts.get(index) ?? 0) + count)
  return {
    count: a.count + b.count,
    sumMs: a.sumMs + b.sumMs,
    maxMs: Math.max(a.maxMs, b.maxMs),
    buckets: [...counts].sort(([i], [j]) => i - j),
  }
}
