import { costs as usualCosts } from '../table/cost.ts'
import type { Departures, WorkFit } from '../signals/queueing-fit.ts'

/**
 * Work of a request other than INVITE, as a part of the work of an INVITE, learned from what each adds to the response time of
 * those behind it (TLWL: Jiang et al., "Design, implementation, and performance of a load balancer for SIP server clusters",
 * IEEE/ACM ToN 2012, with costs that are measured instead of given). A BYE that waits for its callee and not for the proxy adds
 * little, and then it is little work.
 */
export interface LearnedCosts {
  /** Of a request that is no INVITE. */
  readonly other: number
  readonly at: number
  /** What is told; it changes only for a difference that matters. */
  readonly told: number
}

const USUAL = usualCosts['BYE'] ?? 1
const LEAST = 0.1
const MOST = 4
const FOLLOW_MS = 20_000
/** A ratio that is less sure than this is not believed. */
const LARGEST_ERROR = 0.15
const WORTH_TELLING = 0.15

export function asUsual(now: number): LearnedCosts {
  return { other: USUAL, at: now, told: USUAL }
}

export interface CostEvidence {
  readonly departures: Departures
  readonly fit: WorkFit
}

/** Only proxies whose queues grow tell anything: `fit` of at least four times its error. */
export function learnCosts(prior: LearnedCosts, proxies: readonly CostEvidence[], now: number): LearnedCosts {
  const seen = ratioIn(proxies.filter(({ fit }) => fit.slopeMs > 4 * fit.errorMs))
  if (seen === undefined) return { ...prior, at: now }
  const kept = Math.exp(-(now - prior.at) / FOLLOW_MS)
  const other = prior.other * kept + Math.max(LEAST, Math.min(MOST, seen)) * (1 - kept)
  const isNews = Math.abs(other - prior.told) > WORTH_TELLING * prior.told
  return { other, at: now, told: isNews ? Number(other.toPrecision(2)) : prior.told }
}

/** By method: those that are known to be lighter or heavier than a BYE keep their proportion to it. */
export function costsBy({ told }: LearnedCosts): Readonly<Record<string, number>> {
  if (told === USUAL) return usualCosts
  const of = ([method, cost]: [string, number]): [string, number] => [
    method,
    method === 'INVITE' ? 1 : Number(((cost * told) / USUAL).toPrecision(2)),
  ]
  return Object.fromEntries(Object.entries(usualCosts).map(of))
}

/** Least squares on two variables over all proxies, each in the units of its own slope. */
function ratioIn(proxies: readonly CostEvidence[]): number | undefined {
  const sum = { ii: 0, oo: 0, io: 0, im: 0, om: 0, mm: 0, n: 0 }
  for (const { departures: d, fit } of proxies) {
    sum.ii += d.invites2
    sum.oo += d.others2
    sum.io += d.invitesOthers
    sum.im += d.invitesMs / fit.slopeMs
    sum.om += d.othersMs / fit.slopeMs
    sum.mm += d.ms2 / fit.slopeMs ** 2
    sum.n += d.samples
  }
  const determinant = sum.ii * sum.oo - sum.io ** 2
  if (!(determinant > 0)) return undefined
  const invite = (sum.im * sum.oo - sum.om * sum.io) / determinant
  const other = (sum.om * sum.ii - sum.im * sum.io) / determinant
  const rest = Math.max(0, sum.mm - invite * sum.im - other * sum.om) / Math.max(1, sum.n - 2)
  const error = 2 * Math.sqrt((rest * sum.ii) / determinant)
  return invite > 0 && error < LARGEST_ERROR * Math.max(1, other) ? other / invite : undefined
}
