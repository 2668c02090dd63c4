import { isStarved, requestsWithin, type IngressView } from '../signals/ingress-view.ts'
import { isFailing, type ProbeView } from '../signals/probe-view.ts'

/**
 * Whether a proxy lives, by everything that was heard of it.
 *
 * V1. No data is no verdict.
 * V2. It takes a prober to call a proxy dead, and two witnesses: the network's refusal, real traffic that gets no answer
 *     either, another prober; or four losses in a row where there is too little traffic to know better.
 * V3. Who answers lives: an answer to real traffic or to another prober, later than the losses, refutes them.
 */
export type Verdict =
  | { readonly kind: 'none' }
  /** `steadyAt`: when a prober last had its second answer in a row, or a further one. */
  | { readonly kind: 'alive'; readonly steadyAt: number }
  /** `isAnswering`: somebody had an answer since. */
  | { readonly kind: 'failing'; readonly cause: string; readonly isAnswering: boolean }
  | { readonly kind: 'dead'; readonly cause: string }

export interface Evidence {
  /** By prober, without those that are doubted, or gone. */
  readonly probes: readonly ProbeView[]
  /** By ingress. */
  readonly live: readonly IngressView[]
}

/** Four in a row that nothing came back to are silence: probes (at once, after 100, 200 and 300 ms) and requests alike. */
const SILENCE = 4
/** Two probers that lose so many each. */
const SHARED_LOSSES = 3
/** Fewer requests within `RECENT_MS` do not tell whether the proxy answers. */
const TELLING_REQUESTS = 5
const RECENT_MS = 2000
/** An INVITE gets a 100 within 200 ms (RFC 3261, 17.2.1), and a report comes every 250 ms. */
const ANSWER_MS = 500
/** What a report tells may have happened that long before it arrived. */
const REPORT_MS = 500

export function verdictOn({ probes, live }: Evidence, now: number): Verdict {
  const accusers = probes.filter(isFailing)
  if (accusers.length === 0) return praise(probes, live, now)
  const isAnswering = accusers.every((accuser) => isRefuted(accuser, probes, live))
  const cause = isAnswering ? undefined : causeOfDeath(accusers, live, now)
  if (cause !== undefined) return { kind: 'dead', cause }
  return { kind: 'failing', cause: lossWords(accusers, { probes, live }, now), isAnswering }
}

/** Whether anybody had an answer after this prober's losses began. */
export function isRefuted(accuser: ProbeView, probes: readonly ProbeView[], live: readonly IngressView[]): boolean {
  return (
    isRefutedByProber(accuser, probes) ||
    live.some(({ answeredAt = 0 }) => answeredAt > accuser.failingSince + REPORT_MS)
  )
}

function isRefutedByProber({ failingSince }: ProbeView, probes: readonly ProbeView[]): boolean {
  return probes.some(({ answeredAt = 0, lossesInRow }) => lossesInRow === 0 && answeredAt > failingSince)
}

/** "3 probes lost, live traffic answers" */
function lossWords(accusers: readonly ProbeView[], { probes, live }: Evidence, now: number): string {
  const losses = Math.max(...accusers.map((view) => view.lossesInRow))
  const isRefused = accusers.some((view) => view.isRefused)
  const words = isRefused ? 'the probe was refused' : `${losses} ${losses === 1 ? 'probe' : 'probes'} lost`
  if (isAnsweredLive(live, now) && !isFailingLive(live, now)) return `${words}, live traffic answers`
  const isByProber = accusers.every((accuser) => isRefutedByProber(accuser, probes))
  return isByProber ? `${words}, another prober is answered` : words
}

/** Whether real traffic fails at the proxy: sends that are refused, or requests to which nothing comes back. */
export function isFailingLive(live: readonly IngressView[], now: number): boolean {
  return live.some((view) => isRefusing(view, now) || isSilent(view, now))
}

function praise(probes: readonly ProbeView[], live: readonly IngressView[], now: number): Verdict {
  const steady = probes.filter((view) => view.answersInRow >= 2).map((view) => view.at)
  const isAlive = probes.some((view) => view.answersInRow > 0) || isAnsweredLive(live, now)
  return isAlive ? { kind: 'alive', steadyAt: Math.max(Number.NEGATIVE_INFINITY, ...steady) } : { kind: 'none' }
}

function causeOfDeath(accusers: readonly ProbeView[], live: readonly IngressView[], now: number): string | undefined {
  if (accusers.some((view) => view.isRefused)) return 'nobody listens: the probe was refused'
  if (live.some((view) => isRefusing(view, now))) return 'a probe was lost and requests could not be sent'
  const losses = Math.max(...accusers.map((view) => view.lossesInRow))
  if (live.some((view) => isSilent(view, now, SILENCE - losses))) return 'a probe was lost and no request is answered'
  if (accusers.filter((view) => view.lossesInRow >= SHARED_LOSSES).length > 1) return 'two probers get no answer'
  const requests = live.reduce((sum, view) => sum + requestsWithin(view, now, RECENT_MS), 0)
  return losses >= SILENCE && requests < TELLING_REQUESTS ? `${losses} probes in a row were lost` : undefined
}

function isAnsweredLive(live: readonly IngressView[], now: number): boolean {
  return live.some(({ answeredAt }) => answeredAt !== undefined && now - answeredAt < RECENT_MS)
}

function isRefusing({ transportErrorAt, answeredAt = 0 }: IngressView, now: number): boolean {
  return transportErrorAt !== undefined && now - transportErrorAt < RECENT_MS && transportErrorAt > answeredAt
}

function isSilent(view: IngressView, now: number, requests = TELLING_REQUESTS): boolean {
  return isStarved(view.unanswered, now, { requests: Math.max(1, requests), ms: ANSWER_MS })
}
