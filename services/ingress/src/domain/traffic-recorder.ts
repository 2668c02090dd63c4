import { SketchBuilder, type Outcome, type Outcomes, type ProxyTraffic } from '@siplb/contracts'

interface ProxyRecord {
  requests: number
  outcomes: Outcomes
  retryAfterMs: number
  readonly responseTimes: Map<string, SketchBuilder>
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

/** What happened at the proxies of one pool since it was last asked. */
export class TrafficRecorder {
  readonly #records = new Map<string, ProxyRecord>()

  request(proxy: string): void {
    this.#record(proxy).requests += 1
  }

  outcome(proxy: string, outcome: Outcome): void {
    this.#record(proxy).outcomes[outcome] += 1
  }

  responseTime(proxy: string, method: string, ms: number): void {
    const { responseTimes } = this.#record(proxy)
    let sketch = responseTimes.get(method)
    if (sketch === undefined) {
      sketch = new SketchBuilder()
      responseTimes.set(method, sketch)
    }
    sketch.add(ms)
  }

  retryAfter(proxy: string, ms: number): void {
    const record = this.#record(proxy)
    record.retryAfterMs = Math.max(record.retryAfterMs, ms)
  }

  /** Hands out what happened at one proxy, and forgets it. */
  take(proxy: string): Pick<ProxyTraffic, 'requests' | 'outcomes' | 'responseTimes' | 'retryAfterMs'> {
    const record = this.#records.get(proxy)
    if (record === undefined) return { requests: 0, outcomes: noOutcomes(), responseTimes: {} }
    const { requests, outcomes, retryAfterMs } = record
    record.requests = 0
    record.outcomes = noOutcomes()
    record.retryAfterMs = 0
    const filled = [...record.responseTimes].filter(([, sketch]) => sketch.count > 0)
    return {
      requests,
      outcomes,
      responseTimes: Object.fromEntries(filled.map(([method, sketch]) => [method, sketch.take()])),
      ...(retryAfterMs === 0 ? {} : { retryAfterMs }),
    }
  }

  #record(proxy: string): ProxyRecord {
    let record = this.#records.get(proxy)
    if (record === undefined) {
      record = { requests: 0, outcomes: noOutcomes(), retryAfterMs: 0, responseTimes: new Map() }
      this.#records.set(proxy, record)
    }
    return record
  }
}
