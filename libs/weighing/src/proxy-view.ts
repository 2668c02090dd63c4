import type { Load, ProxyRecord, ProxyTraffic, ResponseTime, Traffic } from '@siplb/contracts'
import { asConfigured, capacityOf, type LearnedCapacity } from './factors/capacity-factor.ts'
import { undamped, type Damped } from './factors/damping.ts'
import { holdRate, type Held } from './signals/fault-window.ts'
import {
  forgiven,
  heard,
  heardNothing,
  isPresent,
  isStarved,
  newIngressView,
  type IngressView,
  type Stretch,
} from './signals/ingress-view.ts'
import { evidenceAt, noLiveResponse, observeLive, observeWaiting, type LiveResponse } from './signals/live-response.ts'
import { observeLoad, type LoadSignal } from './signals/load-signal.ts'
import { isFaultStatus, newProbeView, probed, type ProbeView } from './signals/probe-view.ts'
import { maintenanceIn, type Maintenance } from './standing/maintenance.ts'
import { newStanding, step, type Standing, type StandingEvent } from './standing/proxy-state.ts'
import { baseWords } from './table/reasons.ts'
import type { FollowedResponse, Measured, ResponseEvidence } from './factors/response-factor.ts'
import {
  departuresAt,
  observeQueueing,
  waitBy,
  type Departures,
  type QueueingHistory,
  type WorkFit,
} from './signals/queueing-fit.ts'
import { observeDrain, type DrainProgress } from './signals/drain-progress.ts'
import { observeOverload, type HeldOverload } from './signals/overload-asked.ts'
import { levelNow, noResponseLevel, observeLevel, type ResponseLevel } from './signals/response-level.ts'
import type { Settings } from './settings.ts'
import { keep } from './sources.ts'

/** So many requests without a sample, for so long, are a sample of their own. */
const STARVED = { requests: 5, ms: 500 }
/** So much is outstanding that it does not wait for callees. */
const WAITING_WORK = 3
/** New requests are so large a part of its work at least, beside those of dialogs. */
const AT_WORK = 0.3
/** More than that, a stretch of few requests says nothing of one of them. */
const LONGEST_WAIT_MS = 2000
/** A transaction ends by timeout 32 s after it was sent (RFC 3261, 17.1.1.2: Timer B), and a report comes late. */
const TIMEOUT_NEWS_MS = 35_000
/** A probe was waited for at least about so long. */
const LOST_MS = 500
const MOST_METHODS = 16

/** Everything that is known of one proxy. It changes in place, by what is heard of this proxy alone. */
export class ProxyView {
  record: ProxyRecord
  standing: Standing = newStanding
  readonly probes = new Map<string, ProbeView>()
  readonly live = new Map<string, IngressView>()
  loads: LoadSignal = new Map()
  fault: Held = { rate: 0, at: 0 }
  soft: Damped
  /** The last that was worked out; holds while nothing new is known. */
  response: FollowedResponse | undefined
  /** Factor of the stored table, until there is evidence of our own. */
  restored: { readonly factor: number; readonly at: number } | undefined
  /** What it can take, learned. */
  capacity: LearnedCapacity
  overload: HeldOverload | undefined
  /** It refuses everything, and said until when. */
  maintenance: Maintenance | undefined
  /** How its response times grow with the work there; undefined while that is not known. */
  fit: WorkFit | undefined
  drainingSince: number | undefined
  drain: DrainProgress | undefined
  /** Why its base weight is what it is, in words. */
  baseWhy: string
  /** Who put it into its admin state. */
  administrator: string
  isDrained = false
  #queueing: QueueingHistory = new Map()
  #departed: { readonly at: number; readonly of: QueueingHistory; readonly found: Departures | undefined } | undefined
  #probeResponse: ResponseLevel = noResponseLevel
  readonly #liveResponses = new Map<string, LiveResponse>()

  constructor(record: ProxyRecord, now: number) {
    this.record = record
    this.baseWhy = baseWords(record)
    this.administrator = record.actor
    this.soft = undamped(1, now)
    this.capacity = asConfigured(now)
    if (record.adminState === 'draining') this.drainingSince = now
  }

  get baseWeight(): number {
    return baseWeightOf(this.record)
  }

  /** Its row of the list, as it is now: the row names who changed it last, whatever that was. */
  listed(record: ProxyRecord): void {
    const before = this.record
    this.record = record
    if (baseWeightOf(before) !== baseWeightOf(record)) {
      this.baseWhy = baseWords(record, before)
      this.capacity = asConfigured(this.capacity.at) // learned against the old one
    }
    if (before.adminState !== record.adminState) this.administrator = record.actor
  }

  get liveViews(): IngressView[] {
    return [...this.live.values()]
  }

  probed(source: string, result: ResponseTime, now: number, { weights }: Settings): void {
    keep(this.probes, source, probed(this.probes.get(source) ?? newProbeView, result, now))
    // A failure answered in no time must not look quick.
    if (result.doubtful || result.outcome === 'refused' || isFaultStatus(result.status)) return
    const ms = result.outcome === 'lost' ? this.#lossMs() : result.responseTimeMs
    if (ms !== undefined) {
      this.#probeResponse = observeLevel(this.#probeResponse, ms, now, weights.responseTimeDecayMs)
    }
  }

  /** A failure is a sample, and an honest one: at least as bad as what was found before. */
  #lossMs(): number {
    return Math.max(LOST_MS, levelNow(this.#probeResponse)?.typicalMs ?? 0)
  }

  loaded(report: Load, now: number, { weights }: Settings): void {
    this.overload = observeOverload(this.overload, report, now)
    // The ingress obeys what is asked for exactly: less weight besides would be too much.
    if (report.overload === undefined) this.loads = observeLoad(this.loads, report, now, weights.loadDecayMs)
  }

  trafficked(
    { ingress, instance = ingress }: Pick<Traffic, 'ingress' | 'instance'>,
    report: ProxyTraffic,
    now: number,
    settings: Settings,
  ): void {
    const { faultWindowMs, responseTimeDecayMs } = settings.weights
    const areTimeoutsOld = this.standing.health === 'down' || now - this.standing.lastOutAt < TIMEOUT_NEWS_MS
    const before = this.live.get(ingress) ?? { ...newIngressView, instance }
    const view = heard(before, report, now, { windowMs: faultWindowMs, areTimeoutsOld })
    keep(this.live, ingress, view)
    this.maintenance = maintenanceIn(report, view.faultsInRow, now) ?? this.maintenance
    for (const [method, sketch] of Object.entries(report.responseTimes)) {
      const known = this.#liveResponses.get(method)
      if (known === undefined && this.#liveResponses.size >= MOST_METHODS) continue
      this.#liveResponses.set(
        method,
        observeLive(known ?? noLiveResponse, sketch, this.#waitMs(report, method), now, responseTimeDecayMs),
      )
    }
    for (const [method, told] of Object.entries(report.queueing ?? {})) {
      this.#queueing = observeQueueing(this.#queueing, `${ingress} ${method}`, told, now)
    }
    const isWaiting = report.requests > 0 || report.work >= WAITING_WORK
    const isStuck = isWaiting && isStarved(view.unsampled, now, STARVED)
    if (isStuck && !this.#isAtWork(report, now - before.at)) this.#waited(view.unsampled, now)
  }

  /** A report of this ingress did not name the proxy. */
  unmentioned(ingress: string, now: number): void {
    const view = this.live.get(ingress)
    if (view !== undefined) this.live.set(ingress, heardNothing(view, now))
  }

  happened(event: StandingEvent, now: number, { weights }: Settings): void {
    const before = this.standing
    this.standing = step(before, event, now, weights)
    if (this.standing.health === 'recovering' && this.standing.since !== before.since) this.#beginAnew(now)
  }

  /** What it did before it was out says nothing of it now. */
  #beginAnew(now: number): void {
    this.fault = { rate: 0, at: now }
    this.maintenance = undefined
    this.soft = undamped(1, now)
    this.response = undefined
    this.restored = undefined
    this.#probeResponse = noResponseLevel
    this.#liveResponses.clear()
    this.forgetQueueing()
    for (const [ingress, view] of this.live) this.live.set(ingress, forgiven(view))
  }

  judgeFaults(seen: Parameters<typeof holdRate>[1], now: number): void {
    this.fault = holdRate(this.fault, seen, now)
  }

  responseEvidence(now: number): ResponseEvidence {
    const live = new Map<string, Measured>()
    for (const [method, response] of this.#liveResponses) {
      const level = levelNow(response.level)
      if (level !== undefined) live.set(method, { ...level, evidence: evidenceAt(response, now) })
    }
    return { probe: levelNow(this.#probeResponse), live, capacity: capacityOf(this.capacity) }
  }

  forgetQueueing(): void {
    this.#queueing = new Map()
    this.fit = undefined
  }

  /** Whether it takes requests about as fast as it is known to: then they wait for one another, and it is not slow. */
  #isAtWork({ fresh }: ProxyTraffic, ms: number): boolean {
    if (fresh === undefined || this.fit === undefined) return false
    return fresh.accepted * this.fit.slopeMs >= AT_WORK * ms
  }

  /** How long requests of this report waited for those before them, by what is known of this proxy's queue. */
  #waitMs({ queueing }: ProxyTraffic, method: string): number {
    const told = queueing?.[method]
    if (told === undefined || this.fit === undefined) return 0
    return waitBy(this.fit, told)
  }

  /** How its response times went with the work that was there. */
  departures(now: number): Departures | undefined {
    // Costs and capacities are learned from the same figures of one tick.
    if (this.#departed?.at !== now || this.#departed.of !== this.#queueing) {
      this.#departed = { at: now, of: this.#queueing, found: departuresAt(this.#queueing, now) }
    }
    return this.#departed.found
  }

  inFlight(now: number): number {
    return total(this.#present(now).map((view) => view.inFlight))
  }

  dialogs(now: number): number {
    return total(this.#present(now).map((view) => view.dialogs))
  }

  /** Looks how far a drain has come. */
  watchDrain(now: number): void {
    this.drain = this.drainingSince === undefined ? undefined : observeDrain(this.drain, this.dialogs(now), now)
  }

  /** Whether anything at all was heard since this process began. */
  hasEvidence(): boolean {
    return this.loads.size > 0 || this.live.size > 0 || this.probes.size > 0
  }

  #present(now: number): IngressView[] {
    return this.liveViews.filter((view) => isPresent(view, now))
  }

  #waited({ since, requests }: Stretch, now: number): void {
    const ms = Math.min(LONGEST_WAIT_MS, now - since)
    const methods = this.#liveResponses.size === 0 ? ['INVITE'] : this.#liveResponses.keys()
    for (const method of methods) {
      this.#liveResponses.set(
        method,
        observeWaiting(this.#liveResponses.get(method) ?? noLiveResponse, ms, requests, now),
      )
    }
  }
}

/** Each is an integer that can be told; so is the sum, or the table could never be told. */
function total(counts: readonly number[]): number {
  return Math.min(
    Number.MAX_SAFE_INTEGER,
    counts.reduce((sum, count) => sum + count, 0),
  )
}

function baseWeightOf({ operatorWeight, weight }: ProxyRecord): number {
  return operatorWeight ?? weight
}
