import type { Bus } from '@siplb/bus'
import { loadReported, responseTimeTaken, type Load, type ResponseTime } from '@siplb/contracts'
import type { ProbedProxy } from '../domain/probed-proxy.ts'
import type { Sample } from '../domain/probe-result.ts'
import { isDoubtful, type SelfHealth } from '../domain/self-health.ts'
import type { ProberMetrics } from '../metrics.ts'

/**
 * What was measured since the last tick, sent in one message per pool and kind: a message costs more than what is in it.
 * Doubt is decided at the end of the tick, when it is known how late the tick was.
 */
export class SignalBatch {
  readonly #bus: Pick<Bus, 'publish'>
  readonly #metrics: ProberMetrics
  /** Called with each that is added: it has to be told soon. */
  onAdded: () => void = () => {}
  #samples: { readonly proxy: ProbedProxy; readonly sample: Sample }[] = []
  #loads: { readonly pool: string; readonly load: Load }[] = []

  constructor(bus: Pick<Bus, 'publish'>, metrics: ProberMetrics) {
    this.#bus = bus
    this.#metrics = metrics
  }

  get isEmpty(): boolean {
    return this.#samples.length === 0 && this.#loads.length === 0
  }

  addSample(proxy: ProbedProxy, sample: Sample): void {
    this.#samples.push({ proxy, sample })
    this.onAdded()
  }

  addLoad(pool: string, load: Load): void {
    this.#loads.push({ pool, load })
    this.onAdded()
  }

  flush(health: SelfHealth): void {
    const samples = Map.groupBy(this.#samples, ({ proxy }) => proxy.pool)
    const loads = Map.groupBy(this.#loads, ({ pool }) => pool)
    this.#samples = []
    this.#loads = []
    for (const [pool, ofPool] of samples) {
      const results = ofPool.map(({ proxy, sample }) => this.#judged(proxy, sample, health))
      this.#bus.publish(responseTimeTaken, { pool }, results)
    }
    for (const [pool, ofPool] of loads) {
      this.#bus.publish(
        loadReported,
        { pool },
        ofPool.map(({ load }) => load),
      )
    }
  }

  #judged(proxy: ProbedProxy, sample: Sample, health: SelfHealth): ResponseTime {
    const doubtful = sample.isDoubtful || isDoubtful(health, sample.sentAt, sample.endedAt)
    this.#metrics.sampled(proxy, sample, doubtful)
    return { ...sample.result, proxy: proxy.id, doubtful }
  }
}
