import { SketchBuilder, type Outcome, type Outcomes, type ProxyTraffic } from '@siplb/contracts'
import { QueueingSums } from './queueing-sums.ts'
import type { Ahead } from './work-ledger.ts'

type Fresh = NonNullable<ProxyTraffic['fresh']>

interface ProxyRecord {
  requests: number
  outcomes: Outcomes
  fresh: Fresh
  retryAfterMs: number
  readonly responseTimes: Map<string, SketchBuilder>
  readonly queueing: Map<string, QueueingSums>
}

const noOutcomes = (): Outcomes => ({
  success: 0,
  redirection: 0,
  refusal: 0,
  cancelled: 0,
  unavailable: 0,
  serverError: 0,
  timeout: 0,
  transportError: 0,
})

const nothingFresh = (): Fresh => ({ accepted: 0, failed: 0, failedLater: 0 })

/** What happened at the proxies of one pool since it was last asked. */
export class TrafficRecorder {
  readonly #records = new Map<string, ProxyRecord>()

  request(proxy: string): void {
    this.#record(proxy).requests += 1
  }

  /** How a new request begins, or what came of its beginning. */
  began(proxy: string, how: keyof Fresh): void {
    this.#record(proxy).fresh[how] += 1
  }

  outcome(proxy: string, outcome: Outcome): void {
    this.#record(proxy).outcomes[outcome] += 1
  }

  /** @param ahead of a new request: what was outstanding at the proxy when it was sent */
  responseTime(proxy: string, method: string, ms: number, ahead?: Ahead): void {
    const { responseTimes, queueing } = this.#record(proxy)
    getOrMake(responseTimes, method, () => new SketchBuilder()).add(ms)
    if (ahead !== undefined) getOrMake(queueing, method, () => new QueueingSums()).add(ms, ahead)
  }

  retryAfter(proxy: string, ms: number): void {
    const record = this.#record(proxy)
    record.retryAfterMs = Math.max(record.retryAfterMs, ms)
  }

  /** Hands out what happened at one proxy, and forgets it. */
  take(
    proxy: string,
  ): Pick<ProxyTraffic, 'requests' | 'outcomes' | 'fresh' | 'responseTimes' | 'queueing' | 'retryAfterMs'> {
    const record = this.#records.get(proxy)
    if (record === undefined) return { requests: 0, outcomes: noOutcomes(), fresh: nothingFresh(), responseTimes: {} }
    const { requests, outcomes, fresh, retryAfterMs } = record
    record.requests = 0
    record.outcomes = noOutcomes()
    record.fresh = nothingFresh()
    record.retryAfterMs = 0
    const sketches = [...record.responseTimes].filter(([, sketch]) => sketch.count > 0)
    const sums = [...record.queueing].filter(([, one]) => one.samples > 0)
    return {
      requests,
      outcomes,
      fresh,
      responseTimes: Object.fromEntries(sketches.map(([method, sketch]) => [method, sketch.take()])),
      ...(sums.length === 0 ? {} : { queueing: Object.fromEntries(sums.map(([method, one]) => [method, one.take()])) }),
      ...(retryAfterMs === 0 ? {} : { retryAfterMs }),
    }
  }

  /** Those where anything happened, told or not yet. */
  get proxies(): IterableIterator<string> {
    return this.#records.keys()
  }

  forget(proxy: string): void {
    this.#records.delete(proxy)
  }

  #record(proxy: string): ProxyRecord {
    let record = this.#records.get(proxy)
    if (record === undefined) {
      record = {
        requests: 0,
        outcomes: noOutcomes(),
        fresh: nothingFresh(),
        retryAfterMs: 0,
        responseTimes: new Map(),
        queueing: new Map(),
      }
      this.#records.set(proxy, record)
    }
    return record
  }
}

function getOrMake<V>(map: Map<string, V>, key: string, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) {
    value = make()
    map.set(key, value)
  }
  return value
}
