import type { ProxyState, Signals } from '@siplb/contracts'
import { effectiveWeight } from './factors/effective-weight.ts'
import { applyFactors } from './factors/factors.ts'
import { sumWithin } from './signals/fault-window.ts'
import { isInUse } from './standing/judge.ts'
import { panicOf, type Panic } from './standing/panic.ts'
import type { ProxyView } from './proxy-view.ts'
import { doneInMs } from './signals/drain-progress.ts'
import { overloadAt, overloadWords } from './signals/overload-asked.ts'
import { join, wordsFor, type Influences } from './table/reasons.ts'
import type { Settings } from './settings.ts'
import { byTier } from './tiers.ts'
import type { WeighedProxy, Weighing } from './table/weighed-proxy.ts'

const RATE_MS = 4000
/** Under this part of its base weight a proxy is no full member of the pool. */
const FAR_SLOWER = 0.2

/** effective = base × f(response time) × g(load) × h(faults) × slow start, for every proxy of a pool. */
export function weigh(
  pool: readonly ProxyView[],
  settings: Settings,
  now: number,
  loadNow: number,
  otherCost: number,
): Weighing {
  const enabled = pool.filter(({ record }) => record.adminState === 'enabled')
  const takingPart = enabled.filter(isInUse)
  const influences = new Map(
    byTier(takingPart).flatMap((tier) => [...applyFactors(tier, settings, now, loadNow, otherCost)]),
  )
  const unproven = takingPart.filter(({ standing }) => standing.isUnproven).length
  const count = (health: string) => enabled.filter(({ standing }) => standing.health === health).length
  const counts = {
    usable: takingPart.length - unproven,
    down: count('down') + unproven,
    ejected: count('ejected'),
  }
  const panic = panicOf(counts, settings.weights.panicThreshold)
  const proxies = pool.map((proxy) => weighOne(proxy, influences.get(proxy), panic, settings, now))
  return { panic: panic !== 'none', proxies }
}

function weighOne(
  proxy: ProxyView,
  influences: Influences | undefined,
  panic: Panic,
  settings: Settings,
  now: number,
): WeighedProxy {
  const { record, baseWeight, baseWhy, administrator, standing } = proxy
  const state = stateOf(proxy)
  const known = {
    id: record.id,
    uri: record.uri,
    tier: record.tier,
    baseWeight,
    baseWhy,
    state,
    signals: signalsOf(proxy, influences, now),
    overload: overloadAt(proxy.overload, now),
    drain: drainOf(proxy, now),
    actor: record.adminState === 'enabled' ? standing.actor : administrator,
  }
  if (record.adminState !== 'enabled') {
    return { ...known, weight: 0, restricted: false, why: `${state} by ${administrator}` }
  }
  if (influences === undefined || panic === 'all') {
    const isUsed = panic === 'all' || (panic === 'ejected' && standing.health === 'ejected')
    const why = isUsed ? join(standing.cause, 'too few are left: all are tried') : standing.cause
    return { ...known, weight: isUsed ? baseWeight : 0, restricted: false, why }
  }
  const factor = proxy.soft.value * influences.growth
  const weight = effectiveWeight(baseWeight, factor, settings.weights.floor, influences.capacity)
  const doubt = standing.health === 'suspect' ? standing.cause : undefined
  const words = wordsFor(influences, { isWhole: factor === 1 && influences.capacity === 1, baseWhy, doubt })
  const why = standing.health === 'recovering' ? join(standing.cause, words) : words
  const restricted = known.overload !== undefined || isRestricted(influences, proxy.soft.value)
  return {
    ...known,
    weight,
    restricted,
    why: known.overload === undefined ? why : join(overloadWords(known.overload), why),
  }
}

/**
 * A proxy that gets less for other reasons than its slowness has little work outstanding, and would win every pick by work: it
 * is to be taken only as often as its weight says. So is one that is far slower: what it gets beside that is what callers notice.
 */
function isRestricted({ growth, faultFactor, refusalFactor, loadFactor, capacity }: Influences, soft: number): boolean {
  if (growth < 1 || soft * capacity < FAR_SLOWER) return true
  return soft < 1 && (faultFactor < 1 || refusalFactor < 1 || loadFactor < 1)
}

function drainOf(proxy: ProxyView, now: number): WeighedProxy['drain'] {
  if (proxy.drain === undefined) return undefined
  const dialogs = proxy.dialogs(now)
  const doneIn = doneInMs(proxy.drain, dialogs, now)
  return doneIn === undefined ? { dialogs } : { dialogs, doneInMs: doneIn }
}

function stateOf({ record, standing, isDrained }: ProxyView): ProxyState {
  if (record.adminState === 'disabled') return 'disabled'
  if (record.adminState === 'draining') return isDrained ? 'drained' : 'draining'
  return standing.health
}

function signalsOf(proxy: ProxyView, influences: Influences | undefined, now: number): Signals {
  const views = proxy.liveViews
  const response = influences?.response ?? proxy.response
  return {
    ...(response === undefined
      ? {}
      : { responseTimeMs: digits(response.valueMs), poolResponseTimeMs: digits(response.poolMs) }),
    ...(influences === undefined || influences.capacity === 1 ? {} : { capacity: digits(influences.capacity) }),
    ...(influences?.load === undefined ? {} : { load: digits(influences.load) }),
    ...(views.length === 0
      ? {}
      : {
          faultRate: digits(influences?.faultRate ?? 0),
          requestsPerSecond: digits(sumWithin(views, now, RATE_MS).requests / (RATE_MS / 1000)),
          inFlight: proxy.inFlight(now),
          dialogs: proxy.dialogs(now),
        }),
  }
}

function digits(value: number): number {
  return Number(value.toPrecision(3))
}
