import type { IngressView } from '../signals/ingress-view.ts'
import { isFailing, type ProbeView } from '../signals/probe-view.ts'
import { isFailingLive, isRefuted } from './verdict.ts'

/** What was heard of one proxy. */
export interface Heard {
  readonly probes: ReadonlyMap<string, ProbeView>
  readonly live: readonly IngressView[]
}

/** Losses that began within so short a time have one cause. */
const AT_ONCE_MS = 3000
/** Time in which real traffic can say otherwise, since its reports come later than a refusal. */
const HEARING_MS = 750

/**
 * The probers that are to be doubted: those that suddenly lose most of the pool, while real traffic (or another prober) gets
 * answers from it. It is then the prober's own network that is broken. Where real traffic runs, such a prober has to wait for
 * that hearing before it is believed.
 */
export function doubtedProbers(pool: readonly Heard[], now: number): ReadonlySet<string> {
  const probers = new Set(pool.flatMap((proxy) => [...proxy.probes.keys()]))
  return new Set([...probers].filter((prober) => isDoubted(prober, pool, now)))
}

function isDoubted(prober: string, pool: readonly Heard[], now: number): boolean {
  const watched = pool.flatMap((proxy) => {
    const view = proxy.probes.get(prober)
    return view === undefined ? [] : [{ view, proxy }]
  })
  const newest = Math.max(...watched.map(({ view }) => view.failingSince))
  const lost = watched.filter(({ view }) => isFailing(view) && newest - view.failingSince < AT_ONCE_MS)
  if (lost.length < 2 || lost.length <= watched.length / 2) return false
  const refuted = lost.filter(({ view, proxy }) => isRefuted(view, others(proxy, prober), proxy.live)).length
  if (refuted > 0) return !lost.some(({ proxy }) => isFailingLive(proxy.live, now)) || refuted > lost.length / 2
  const hasTraffic = lost.some(({ proxy }) =>
    proxy.live.some(({ answeredAt = Number.NEGATIVE_INFINITY }) => now - answeredAt < HEARING_MS),
  )
  return hasTraffic && now - newest < HEARING_MS
}

function others(proxy: Heard, prober: string): ProbeView[] {
  return [...proxy.probes].flatMap(([name, view]) => (name === prober ? [] : [view]))
}
