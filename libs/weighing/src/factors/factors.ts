import { asConfigured, capacityOf, learnCapacities } from './capacity-factor.ts'
import { damp } from './damping.ts'
import { faultFactor, RUINOUS_RATE } from './fault-factor.ts'
import { heldRate, sumWithin } from '../signals/fault-window.ts'
import { loadFactor, relativeToBest } from './load-factor.ts'
import { loadAt } from '../signals/load-signal.ts'
import { fitWork } from '../signals/queueing-fit.ts'
import type { ProxyView } from '../proxy-view.ts'
import type { Influences } from '../table/reasons.ts'
import { refusalFactors } from './refusal-factor.ts'
import { responseFactors, type ResponseFactor } from './response-factor.ts'
import type { Settings } from '../settings.ts'
import { slowStart } from './slow-start.ts'

/** Under this factor it was no matter of a moment. */
const FAR_SLOWER = 1 / 3
/** What became so much slower is another proxy now: how its queue went before tells nothing. */
const ANOTHER_PROXY = 0.2
/** How long a factor that another weigher left behind is believed once there is evidence of our own. */
const RESTORED_MS = 10_000

/**
 * Works out the factors of all proxies of a tier that take part, holds them against one another, and moves the damped factor of
 * each. `loadNow`: the instant by which loads expire.
 */
export function applyFactors(
  tier: readonly ProxyView[],
  settings: Settings,
  now: number,
  loadNow: number,
  otherCost: number,
): Map<ProxyView, Influences> {
  const { weights } = settings
  learn(tier, settings, now, otherCost)
  const rules = { toleranceMs: weights.responseTimeToleranceMs, floor: weights.floor }
  const responses = responseFactors(
    tier.map((proxy) => proxy.responseEvidence(now)),
    rules,
  )
  const loads = tier.map((proxy) => loadAt(proxy.loads, loadNow))
  const own = loads.map((load) =>
    load === undefined ? 1 : loadFactor(load, { target: weights.loadTarget, floor: weights.floor }),
  )
  const best = Math.max(...own)
  const refusals = refusalFactors(
    tier.map(({ liveViews }) => {
      const { ended, refusals: refused } = sumWithin(liveViews, now, weights.faultWindowMs)
      return { requests: ended, refusals: refused }
    }),
  )
  return new Map(
    tier.map((proxy, i) => {
      follow(proxy, responses[i], weights.slowStartMs, now)
      const rate = heldRate(proxy.fault, now, weights.faultWindowMs)
      const influences: Influences = {
        response: proxy.response,
        load: loads[i],
        loadFactor: relativeToBest(own[i] ?? 1, best),
        loadTarget: weights.loadTarget,
        faultRate: rate,
        faultFactor: faultFactor(rate, weights.floor),
        refusalFactor: refusals[i] ?? 1,
        growth: growthOf(proxy, now),
        capacity: capacityOf(proxy.capacity),
      }
      moveTowards(proxy, influences, settings, now)
      return [proxy, influences]
    }),
  )
}

function learn(tier: readonly ProxyView[], { weights }: Settings, now: number, otherCost: number): void {
  if (!weights.learnCapacity) {
    // By a reload: what was learned before goes too.
    for (const proxy of tier) proxy.capacity = asConfigured(now)
    return
  }
  const evidence = tier.map((proxy) => {
    const departures = proxy.departures(now)
    proxy.fit = departures === undefined ? undefined : fitWork(departures, otherCost)
    // While it is another proxy, what it takes is told by its response times; learned, it would outlast the trouble.
    const isAnother = (proxy.response?.factor ?? 1) < ANOTHER_PROXY
    return { baseWeight: proxy.baseWeight, fit: isAnother ? undefined : proxy.fit, learned: proxy.capacity }
  })
  const { responseTimeToleranceMs: toleranceMs, deadBand, capacityMemoryMs: memoryMs } = weights
  learnCapacities(evidence, now, { toleranceMs, deadBand, memoryMs }).forEach((learned, i) => {
    const proxy = tier[i]
    if (proxy !== undefined) proxy.capacity = learned
  })
}

/** It falls at once; from far down it rises as in a slow start: who was slow has to show for more than a moment that it is quick again. */
function follow(proxy: ProxyView, found: ResponseFactor | undefined, growMs: number, now: number): void {
  if (found === undefined) return
  const { factor = 1, at = now } = proxy.response ?? {}
  const most = factor < FAR_SLOWER ? factor + (now - at) / growMs : 1
  proxy.response = { ...found, factor: Math.min(found.factor, most), at: now }
  if (factor < ANOTHER_PROXY !== proxy.response.factor < ANOTHER_PROXY) proxy.forgetQueueing()
}

function moveTowards(proxy: ProxyView, influences: Influences, { weights }: Settings, now: number): void {
  const { response, loadFactor: load, faultRate, faultFactor: fault, refusalFactor } = influences
  const wanted = Math.max(weights.floor, (response?.factor ?? 1) * load * fault * refusalFactor)
  const { restored } = proxy
  if (restored !== undefined && (response !== undefined || (proxy.hasEvidence() && now - restored.at >= RESTORED_MS))) {
    proxy.restored = undefined
  }
  // Where nothing better is known, what the writer before us knew holds.
  const target = Math.min(wanted, proxy.restored?.factor ?? 1)
  proxy.soft = damp(proxy.soft, target, now, weights, faultRate >= RUINOUS_RATE)
}

function growthOf({ standing }: ProxyView, now: number): number {
  return standing.health === 'recovering' ? slowStart(now - standing.since, standing.growMs) : 1
}
