import type { Outcome, Traffic } from '@siplb/contracts'
import { FirstResponses } from '../domain/first-responses.ts'
import { methodLabel } from '../domain/methods.ts'
import { TrafficRecorder } from '../domain/traffic-recorder.ts'
import { WorkLedger, type Task } from '../domain/work-ledger.ts'

/** Live traffic of one pool: what is outstanding now, and what happened since it was last told. */
export class PoolTraffic {
  readonly ledger = new WorkLedger()
  readonly #recorder = new TrafficRecorder()
  #shed = 0
  readonly #firstResponses = new Map<string, FirstResponses>()

  begin(task: Task, isNewRequest: boolean): void {
    this.ledger.begin(task)
    if (isNewRequest) this.#recorder.request(task.proxy)
  }

  /** @param ms time of the response; undefined when the request was sent more than once, for then nobody knows (Karn) */
  firstResponse(task: Task, method: string, ms: number | undefined): void {
    this.ledger.answered(task)
    if (ms === undefined) return
    this.#recorder.responseTime(task.proxy, methodLabel(method), ms)
    let times = this.#firstResponses.get(task.proxy)
    if (times === undefined) {
      times = new FirstResponses()
      this.#firstResponses.set(task.proxy, times)
    }
    times.add(ms)
  }

  end(task: Task, outcome: Outcome): void {
    this.ledger.end(task)
    this.#recorder.outcome(task.proxy, outcome)
  }

  /** A 503 with Retry-After. */
  retryAfter(proxy: string, ms: number): void {
    this.#recorder.retryAfter(proxy, ms)
  }

  /** A new request was refused at the edge. */
  shed(): void {
    this.#shed += 1
  }

  takeShed(): number {
    const shed = this.#shed
    this.#shed = 0
    return shed
  }

  p99Ms(proxy: string): number | undefined {
    return this.#firstResponses.get(proxy)?.p99Ms()
  }

  take(proxies: Iterable<string>, dialogsOf: (proxy: string) => number): Traffic['proxies'] {
    return [...new Set([...proxies, ...this.ledger.proxies])].map((proxy) => ({
      proxy,
      inFlight: this.ledger.inFlightOf(proxy),
      work: Math.max(0, this.ledger.workOf(proxy)),
      dialogs: dialogsOf(proxy),
      ...this.#recorder.take(proxy),
    }))
  }
}
