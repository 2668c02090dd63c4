import { MOST_ROWS_WHOLE, type Outcome, type Traffic } from '@siplb/contracts'
import { FirstResponses } from '../domain/first-responses.ts'
import { methodLabel } from '../domain/methods.ts'
import { isFault } from '../domain/outcome.ts'
import { TrafficRecorder } from '../domain/traffic-recorder.ts'
import { TypicalResponse } from '../domain/typical-response.ts'
import { WorkLedger, type Task } from '../domain/work-ledger.ts'

/** The proxies of a pool, as its table has them. */
export interface Listed {
  readonly rows: readonly { readonly id: string }[]
  readonly has: (proxy: string) => boolean
}

/** The first that is heard of a request. */
export interface FirstResponse {
  readonly method: string
  readonly status: number
  /** Undefined when the request was sent more than once, for then nobody knows (Karn). */
  readonly ms: number | undefined
  readonly now: number
}

/** Live traffic of one pool: what is outstanding now, and what happened since it was last told. */
export class PoolTraffic {
  readonly ledger = new WorkLedger()
  readonly #recorder = new TrafficRecorder()
  #shed = 0
  readonly #firstResponses = new Map<string, FirstResponses>()
  readonly #typical = new TypicalResponse()

  begin(task: Task, isNewRequest: boolean): void {
    if (isNewRequest) {
      this.#recorder.request(task.proxy)
      task.fresh = { ahead: this.ledger.aheadAt(task.proxy), isAccepted: false }
    }
    this.ledger.begin(task)
  }

  firstResponse(task: Task, { method, status, ms, now }: FirstResponse): void {
    this.ledger.answered(task)
    const { fresh } = task
    if (fresh !== undefined && !isFault(status)) {
      fresh.isAccepted = true
      this.#recorder.began(task.proxy, 'accepted')
    }
    if (ms === undefined) return
    const holdMs = this.#typical.holdMs(status, ms)
    if (holdMs > 0) this.ledger.hold(task, now + holdMs)
    this.#recorder.responseTime(task.proxy, methodLabel(method), ms, fresh?.ahead)
    this.#timesOf(task.proxy).add(ms)
  }

  end(task: Task, outcome: Outcome): void {
    this.ledger.end(task)
    this.#recorder.outcome(task.proxy, outcome)
    const { fresh } = task
    task.fresh = undefined
    if (fresh !== undefined && isFault(outcome))
      this.#recorder.began(task.proxy, fresh.isAccepted ? 'failedLater' : 'failed')
  }

  /** What counts as outstanding at a proxy when a new request is to be given away. */
  workAt(now: number): (proxy: string) => number {
    this.ledger.release(now)
    return (proxy) => this.ledger.workOf(proxy)
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

  /**
   * Of a pool of thousands only those that something can be said of: of one that is left out nothing happened, as the weigher takes it.
   *
   * @param listed the proxies of the pool; what is known of others goes once it was told and nothing is outstanding there
   * @param dialogs open ones of each proxy that has any
   */
  take(listed: Listed, dialogs: ReadonlyMap<string, number>, now: number): Traffic['proxies'] {
    this.ledger.release(now)
    const told = [...new Set([...this.#mentioned(listed, dialogs), ...this.ledger.proxies])].map((proxy) => ({
      proxy,
      inFlight: this.ledger.inFlightOf(proxy),
      work: Math.max(0, this.ledger.workOf(proxy)),
      dialogs: dialogs.get(proxy) ?? 0,
      ...this.#recorder.take(proxy),
    }))
    if (listed.rows.length > 0) this.#keepOnly(listed)
    return told
  }

  /** To look at each of thousands, four times a second, would hold up calls. */
  #mentioned({ rows, has }: Listed, dialogs: ReadonlyMap<string, number>): string[] {
    if (rows.length <= MOST_ROWS_WHOLE) return rows.map(({ id }) => id)
    return [...this.#recorder.proxies, ...dialogs.keys()].filter(has)
  }

  #keepOnly({ has }: Listed): void {
    for (const proxy of [...this.ledger.proxies]) {
      if (has(proxy) || !this.ledger.forget(proxy)) continue
      this.#recorder.forget(proxy)
      this.#firstResponses.delete(proxy)
    }
  }

  #timesOf(proxy: string): FirstResponses {
    let times = this.#firstResponses.get(proxy)
    if (times === undefined) {
      times = new FirstResponses()
      this.#firstResponses.set(proxy, times)
    }
    return times
  }
}
