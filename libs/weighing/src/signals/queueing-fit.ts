import type { Queueing } from '@siplb/contracts'

/**
 * How the response times of one proxy grow with the work that is outstanding there, by least squares over the sums that
 * ingresses tell. Requests wait for those before them, so the slope is the time that the proxy takes for one unit of work
 * (in a queue with one server exactly; with several once they are all busy), and its inverse is what the proxy can take.
 *
 * Older sums fade. Each ingress and method has a level of its own (a network, a database), so only departures from its mean count.
 */
export type QueueingHistory = ReadonlyMap<string, FadingSums>

interface FadingSums {
  readonly sums: Queueing
  readonly at: number
}

/** Long enough for a thousand requests of a busy proxy, short enough to follow one that changed. */
const FADE_MS = 30_000
const MOST_SERIES = 64
const FORGOTTEN_SAMPLES = 0.5
/** Of milliseconds, and of requests that are outstanding at one proxy. */
const LARGEST_MEAN = 1e6
/** In one report. */
const MOST_SAMPLES = 1e6
const ROUNDING = 1e-9

export function observeQueueing(
  history: QueueingHistory,
  series: string,
  told: Queueing,
  now: number,
): QueueingHistory {
  if (!isPossible(told)) return history
  const known = history.get(series)
  const kept = known === undefined ? withRoom(history, now) : new Map(history)
  if (kept.size >= MOST_SERIES && known === undefined) return history
  const sums = known === undefined ? told : added(scaled(known, now), told)
  return kept.set(series, { sums, at: now })
}

/** Without those that have faded away: an ingress that is started anew has another name. */
function withRoom(history: QueueingHistory, now: number): Map<string, FadingSums> {
  return new Map([...history].filter(([, one]) => scaled(one, now).samples >= FORGOTTEN_SAMPLES))
}

/** Sums that no requests make, for squares are never less than that (Cauchy and Schwarz), would make slopes of any size. */
function isPossible({ samples: n, ms, ms2, invites, invites2, others, others2, ...products }: Queueing): boolean {
  const { invitesOthers, invitesMs, othersMs } = products
  if (Math.max(ms, invites, others) > LARGEST_MEAN * n || n > MOST_SAMPLES) return false
  if (Math.max(ms2, invites2, others2) > LARGEST_MEAN ** 2 * n) return false
  const areWithin = (product: number, a2: number, b2: number) => product ** 2 <= a2 * b2 * (1 + ROUNDING)
  return (
    [areWithin(ms, n, ms2), areWithin(invites, n, invites2), areWithin(others, n, others2)].every(Boolean) &&
    [areWithin(invitesOthers, invites2, others2), areWithin(invitesMs, invites2, ms2)].every(Boolean) &&
    areWithin(othersMs, others2, ms2)
  )
}

/** Departures from the means, summed over all series: of response times (ms), INVITEs and other requests ahead. */
export interface Departures {
  readonly samples: number
  readonly ms2: number
  readonly invites2: number
  readonly others2: number
  readonly invitesOthers: number
  readonly invitesMs: number
  readonly othersMs: number
  /** What was ahead on the whole. */
  readonly invites: number
  readonly others: number
}

/** Undefined where there are too few requests to say anything. */
export function departuresAt(history: QueueingHistory, now: number): Departures | undefined {
  const all = {
    samples: 0,
    ms2: 0,
    invites2: 0,
    others2: 0,
    invitesOthers: 0,
    invitesMs: 0,
    othersMs: 0,
    invites: 0,
    others: 0,
  }
  for (const series of history.values()) {
    const s = scaled(series, now)
    const n = s.samples
    if (n < FORGOTTEN_SAMPLES) continue
    all.samples += n
    all.invites += s.invites
    all.others += s.others
    all.ms2 += s.ms2 - (s.ms * s.ms) / n
    all.invites2 += s.invites2 - (s.invites * s.invites) / n
    all.others2 += s.others2 - (s.others * s.others) / n
    all.invitesOthers += s.invitesOthers - (s.invites * s.others) / n
    all.invitesMs += s.invitesMs - (s.invites * s.ms) / n
    all.othersMs += s.othersMs - (s.others * s.ms) / n
  }
  return all.samples < LEAST_SAMPLES ? undefined : all
}

const LEAST_SAMPLES = 10

/** Response time against work, a request other than INVITE counting as `cost` INVITEs. */
export interface WorkFit {
  /** What a request other than INVITE counts. */
  readonly cost: number
  /** Milliseconds of response time for one more INVITE ahead, and its standard error. */
  readonly slopeMs: number
  readonly errorMs: number
  /** Of the mean request: how long it waited for the work ahead of it. */
  readonly delayMs: number
}

/** Requests that follow one another see much of the same queue: they are worth fewer independent ones. */
const CORRELATION = 2

export function fitWork(d: Departures, cost: number): WorkFit | undefined {
  const work2 = d.invites2 + 2 * cost * d.invitesOthers + cost * cost * d.others2
  if (!(work2 > 0)) return undefined
  const workMs = d.invitesMs + cost * d.othersMs
  const slopeMs = workMs / work2
  const rest = Math.max(0, d.ms2 - slopeMs * workMs) / Math.max(1, d.samples - 2)
  const meanWork = (d.invites + cost * d.others) / d.samples
  return { cost, slopeMs, errorMs: CORRELATION * Math.sqrt(rest / work2), delayMs: Math.max(0, slopeMs) * meanWork }
}

/** How long the requests of these sums waited on the whole, each; 0 where the slope may be none. */
export function waitBy({ cost, slopeMs, errorMs }: WorkFit, { samples, invites, others }: Queueing): number {
  return slopeMs > 2 * errorMs ? (slopeMs * (invites + cost * others)) / samples : 0
}

function scaled({ sums, at }: FadingSums, now: number): Queueing {
  const kept = Math.exp(-Math.max(0, now - at) / FADE_MS)
  return combined(sums, sums, (value) => value * kept)
}

function added(a: Queueing, b: Queueing): Queueing {
  return combined(a, b, (x, y) => x + y)
}

function combined(a: Queueing, b: Queueing, each: (x: number, y: number) => number): Queueing {
  return {
    samples: each(a.samples, b.samples),
    ms: each(a.ms, b.ms),
    ms2: each(a.ms2, b.ms2),
    invites: each(a.invites, b.invites),
    invites2: each(a.invites2, b.invites2),
    others: each(a.others, b.others),
    others2: each(a.others2, b.others2),
    invitesOthers: each(a.invitesOthers, b.invitesOthers),
    invitesMs: each(a.invitesMs, b.invitesMs),
    othersMs: each(a.othersMs, b.othersMs),
  }
}
