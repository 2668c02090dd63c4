import { RUINOUS_RATE } from '../factors/fault-factor.ts'
import { faultRate, type FaultRate, type FaultRules } from '../signals/fault-window.ts'
import { toEject } from './outlier-ejection.ts'
import { isFailing, type ProbeView } from '../signals/probe-view.ts'
import { doubtedProbers } from './prober-doubt.ts'
import type { ProxyView } from '../proxy-view.ts'
import { staleMs, type Settings } from '../settings.ts'
import { verdictOn } from './verdict.ts'

/** Who lives, who fails, who is to be left out: brings the standing of every proxy of a pool up to date. */
export function judge(pool: readonly ProxyView[], settings: Settings, now: number): void {
  const doubted = doubtedProbers(
    pool.map((proxy) => ({ probes: freshProbes(proxy, settings, now), live: proxy.liveViews })),
    now,
  )
  for (const proxy of pool) {
    const probes = [...freshProbes(proxy, settings, now)].flatMap(([prober, view]) =>
      doubted.has(prober) ? [] : [view],
    )
    const verdict = verdictOn({ probes, live: proxy.liveViews }, now)
    proxy.happened({ kind: 'judged', verdict }, now, settings)
  }
  ejectOutliers(pool, settings, now)
}

export function isInUse({ standing }: ProxyView): boolean {
  return standing.health !== 'down' && standing.health !== 'ejected'
}

function ejectOutliers(pool: readonly ProxyView[], settings: Settings, now: number): void {
  const enabled = pool.filter(({ record }) => record.adminState === 'enabled')
  const seen = new Map(enabled.filter(isInUse).map((proxy) => [proxy, faultsOf(proxy, settings, now)]))
  const candidates = [...seen].map(([proxy, faults]) => {
    proxy.judgeFaults(faults, now)
    const rate = faults.isBelieved ? faults.rate : 0
    return {
      id: proxy.record.id,
      faultRate: rate,
      witnesses: rate < RUINOUS_RATE ? 0 : witnesses(proxy, settings, now),
      isAwayByItsWord: awayMs(proxy, settings, now) !== undefined,
    }
  })
  const ejected = enabled.filter(({ standing }) => standing.health === 'ejected').length
  const outliers = new Set(toEject(candidates, ejected, enabled.length, settings.weights.ejectionCap))
  for (const [proxy, { rate, requests }] of seen) {
    if (!outliers.has(proxy.record.id)) continue
    const cause = `${Math.round(rate * 100)} % of ${requests} requests failed`
    proxy.happened({ kind: 'ejected', cause, forMs: awayMs(proxy, settings, now) }, now, settings)
  }
}

/** How long it said that it would be away from now on. Then it is asked again: the word may have been that of one behind it. */
function awayMs({ maintenance }: ProxyView, { weights }: Settings, now: number): number | undefined {
  if (maintenance === undefined || now >= maintenance.until) return undefined
  return Math.min(maintenance.until - now, weights.ejectionMaxMs)
}

function faultsOf(proxy: ProxyView, settings: Settings, now: number): FaultRate {
  const inRow = Math.max(0, ...[...freshProbes(proxy, settings, now).values()].map((view) => view.faultsInRow))
  return faultRate(proxy.liveViews, inRow, now, rulesOf(settings))
}

/** Ingresses that each saw it fail, and probers that see it fail now. */
function witnesses(proxy: ProxyView, settings: Settings, now: number): number {
  const byInstance = Map.groupBy(proxy.liveViews, ({ instance }) => instance)
  const ingresses = [...byInstance.values()].filter((views) => {
    const { isBelieved, rate } = faultRate(views, 0, now, rulesOf(settings))
    return isBelieved && rate >= RUINOUS_RATE
  })
  const probers = [...freshProbes(proxy, settings, now).values()].filter(
    (view) => isFailing(view) || view.faultsInRow > 0,
  )
  return ingresses.length + probers.length
}

/** Without the last words of probers that are gone. */
function freshProbes(proxy: ProxyView, settings: Settings, now: number): Map<string, ProbeView> {
  return new Map([...proxy.probes].filter(([, view]) => now - view.at <= staleMs(settings)))
}

function rulesOf({ weights }: Settings): FaultRules {
  return { windowMs: weights.faultWindowMs, minRequests: weights.faultMinRequests }
}
