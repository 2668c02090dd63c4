import type { Overload } from '@siplb/sip'
import { isCredible, judgeLoad } from '../domain/capacity.ts'
import type { LoadInAnswer } from '../domain/load-in-answer.ts'
import type { LoadReport } from '../domain/load-report.ts'
import { heardOverload, isOld, loadOf, type OverloadHeard } from '../domain/overload-order.ts'
import type { ProbedProxy } from '../domain/probed-proxy.ts'
import type { LoadSourceName, ProberMetrics } from '../metrics.ts'
import type { SignalBatch } from './signal-batch.ts'

interface Log {
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
}

/** How long a load is believed where the proxy has no load source of its own in the list. */
const EXPIRY_MS = 10_000

/** The load of one proxy from whatever source. What cannot be read is never load 0: it is counted, and the last one expires. */
export class ProxyLoad {
  proxy: ProbedProxy
  readonly #signals: SignalBatch
  readonly #metrics: ProberMetrics
  readonly #log: Log
  readonly #failing = new Set<LoadSourceName>()
  #peak = 0
  #overload: OverloadHeard | undefined

  constructor(proxy: ProbedProxy, signals: SignalBatch, metrics: ProberMetrics, log: Log) {
    this.proxy = proxy
    this.#signals = signals
    this.#metrics = metrics
    this.#log = log
  }

  answered({ header, body }: LoadInAnswer): void {
    if (header === 'unreadable') this.failed('header', 'neither 0…1, a percentage, nor active=N')
    else if (header !== undefined) this.reported('header', header)
    else if (this.proxy.load?.source === 'header') this.failed('header', 'not in the answer to the probe')
    if (body === 'unreadable') this.failed('body', 'JSON without load or active')
    else if (body !== undefined) this.reported('body', body)
  }

  /** What it asks for in the Via of any answer, a provisional one too. */
  askedForLess(overload: Overload | 'malformed' | undefined, at: number): void {
    if (overload === undefined) return
    if (overload === 'malformed') return this.failed('oc', 'overload control in our Via that breaks RFC 7339')
    if (isOld(this.#overload, overload, at)) return
    this.#overload = heardOverload(overload, at)
    const expiresInMs = Math.max(overload.validityMs, 1)
    const load = { proxy: this.proxy.id, load: loadOf(overload), source: 'oc', ageMs: 0, expiresInMs, overload }
    this.#signals.addLoad(this.proxy.pool, load)
    this.#read('oc')
  }

  reported(source: LoadSourceName, report: LoadReport): void {
    if (!isCredible(report)) return this.failed(source, 'figures larger than any load')
    const { pool, id, load: settings } = this.proxy
    const { load, peak, capacity } = judgeLoad(report, settings?.capacity, this.#peak)
    this.#peak = peak
    const details = capacity === undefined ? report.details : { ...report.details, capacity }
    const expiresInMs = settings?.expiryMs ?? EXPIRY_MS
    this.#signals.addLoad(pool, { proxy: id, load, source, ageMs: 0, expiresInMs, details })
    this.#read(source)
  }

  failed(source: LoadSourceName, problem: string): void {
    this.#metrics.loadFailed(this.proxy, source)
    if (this.#failing.has(source)) return
    this.#failing.add(source)
    this.#log.warn({ pool: this.proxy.pool, proxyId: this.proxy.id, source, problem }, 'load cannot be read')
  }

  #read(source: LoadSourceName): void {
    const { pool, id } = this.proxy
    this.#metrics.loadRead(this.proxy, source)
    if (this.#failing.delete(source)) this.#log.info({ pool, proxyId: id, source }, 'load is readable again')
  }
}
