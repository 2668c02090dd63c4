import type { Load, ProxyRecord, ResponseTime, Traffic, WeightTable } from '@siplb/contracts'
import { judge } from './standing/judge.ts'
import { ProxyView } from './proxy-view.ts'
import { restore } from './restore.ts'
import { staleMs, type Settings } from './settings.ts'
import { asUsual, costsBy, learnCosts, type LearnedCosts } from './factors/learned-costs.ts'
import { fitWork } from './signals/queueing-fit.ts'
import { weigh } from './weigh.ts'
import type { Weighing } from './table/weighed-proxy.ts'

/** Reports of all ingresses are in when they have been coming for so long; also the least time that a drain takes. */
const REPORTS_MS = 2500

/**
 * A pool as its signals show it. Pure: events go in with the instant at which they were heard (monotonic milliseconds), weights
 * come out for any instant.
 *
 * K1. What is heard of one proxy, or done to it, changes nothing that is known of another.
 * K2. Silence changes no weight: when all probers are gone, response times stay as they are and loads do not expire.
 */
export class Pool {
  #settings: Settings
  readonly #proxies = new Map<string, ProxyView>()
  #lastProbeAt: number | undefined
  /** Since when ingresses have been reporting without a gap. */
  #reports: { readonly since: number; readonly last: number } | undefined
  #costs: LearnedCosts = asUsual(0)

  constructor(settings: Settings) {
    this.#settings = settings
  }

  configure(settings: Settings): void {
    this.#settings = settings
  }

  /** Work of a request by method, INVITE being 1. */
  get costs(): Readonly<Record<string, number>> {
    return costsBy(this.#costs)
  }

  get size(): number {
    return this.#proxies.size
  }

  /** A row of the proxy list, new or changed. */
  put(record: ProxyRecord, now: number): void {
    const known = this.#proxies.get(record.id)
    if (known === undefined || known.record.uri !== record.uri) {
      this.#proxies.set(record.id, new ProxyView(record, now)) // another address is another proxy
      return
    }
    const before = known.record.adminState
    known.listed(record)
    if (before === record.adminState) return
    known.isDrained = false
    known.drainingSince = record.adminState === 'draining' ? now : undefined
    if (record.adminState === 'enabled') known.happened({ kind: 'enabled', actor: record.actor }, now, this.#settings)
  }

  remove(id: string): void {
    this.#proxies.delete(id)
  }

  /** Goes on from a table that another weigher, or this one before it was started anew, has stored. */
  restore(table: WeightTable, now: number): void {
    for (const row of table.proxies) {
      const proxy = this.#proxies.get(row.id)
      if (proxy !== undefined) restore(proxy, row, table, this.#settings, now)
    }
  }

  /** False for a proxy that this pool does not have. */
  probed(source: string, result: ResponseTime, now: number): boolean {
    const proxy = this.#proxies.get(result.proxy)
    if (!result.doubtful || result.outcome === 'answered') this.#lastProbeAt = now
    proxy?.probed(source, result, now, this.#settings)
    return proxy !== undefined
  }

  /** False for a proxy that this pool does not have. */
  loaded(report: Load, now: number): boolean {
    const proxy = this.#proxies.get(report.proxy)
    proxy?.loaded(report, now, this.#settings)
    return proxy !== undefined
  }

  /** False when it names a proxy that this pool does not have; the others count all the same. */
  trafficked(traffic: Traffic, now: number): boolean {
    const since = this.#reports !== undefined && now - this.#reports.last < REPORTS_MS ? this.#reports.since : now
    this.#reports = { since, last: now }
    const reports = new Map(traffic.proxies.map((report) => [report.proxy, report]))
    for (const [id, proxy] of this.#proxies) {
      const report = reports.get(id)
      if (report === undefined) proxy.unmentioned(traffic.ingress, now)
      else proxy.trafficked(traffic, report, now, this.#settings)
    }
    return traffic.proxies.every(({ proxy }) => this.#proxies.has(proxy))
  }

  weigh(now: number): Weighing {
    const proxies = [...this.#proxies.values()]
    judge(proxies, this.#settings, now)
    for (const proxy of proxies) {
      this.#watchDrain(proxy, now)
      proxy.watchDrain(now)
    }
    this.#learnCosts(proxies, now)
    return weigh(proxies, this.#settings, now, this.#loadNow(now), this.#costs.told)
  }

  #learnCosts(proxies: readonly ProxyView[], now: number): void {
    if (!this.#settings.weights.learnCosts) {
      this.#costs = asUsual(now) // by a reload: what was learned before goes too
      return
    }
    const evidence = proxies.flatMap((proxy) => {
      const departures = proxy.departures(now)
      const fit = departures === undefined ? undefined : fitWork(departures, this.#costs.told)
      return departures === undefined || fit === undefined ? [] : [{ departures, fit }]
    })
    this.#costs = learnCosts(this.#costs, evidence, now)
  }

  /** Loads expire by the clock, but not while all probers are silent. */
  #loadNow(now: number): number {
    const last = this.#lastProbeAt
    return last !== undefined && now - last > staleMs(this.#settings) ? last : now
  }

  // Right after the bus comes back not every ingress has said what it has: "no dialogs" is then only "nothing heard".
  #watchDrain(proxy: ProxyView, now: number): void {
    const { drainingSince } = proxy
    if (drainingSince === undefined || proxy.isDrained || now - drainingSince < REPORTS_MS) return
    const isHeard =
      this.#reports === undefined || (now - this.#reports.last < 1000 && now - this.#reports.since >= REPORTS_MS)
    proxy.isDrained = isHeard && proxy.dialogs(now) === 0 && proxy.inFlight(now) === 0
  }
}
