import type { LoadSource } from '@siplb/contracts'
import { fractionOf } from '../domain/hash.ts'
import { firstPlan, nextDue, takeDue, type Plan } from '../domain/probe-schedule.ts'
import { openLoadSource, type LoadSourceClient } from './load-sources/load-source.ts'
import type { LoadAnswer } from '../domain/load-answer.ts'
import type { ProxyLoad } from './proxy-load.ts'

/** Longest wait for an answer; shorter where it is asked more often, so that questions never overlap. */
const TIMEOUT_MS = 1000

/** Asks one proxy for its load at the rate that its load source has; one question at a time. */
export class LoadQuery {
  readonly #source: LoadSourceClient
  readonly #load: ProxyLoad
  readonly #random: () => number
  readonly #timeoutMs: number
  #plan: Plan
  #asking: AbortController | undefined
  #isClosed = false

  /** Undefined where the load is not asked for: it stands in the answers to probes, or nowhere. */
  static of(source: LoadSource | undefined, load: ProxyLoad, now: number, random: () => number): LoadQuery | undefined {
    if (source === undefined) return undefined
    const client = openLoadSource(source, (answer) => tell(load, client, answer))
    return client && new LoadQuery(client, source, load, now, random)
  }

  private constructor(
    client: LoadSourceClient,
    source: LoadSource,
    load: ProxyLoad,
    now: number,
    random: () => number,
  ) {
    this.#source = client
    this.#load = load
    this.#random = random
    this.#timeoutMs = Math.min(TIMEOUT_MS, source.intervalMs)
    this.#plan = firstPlan(fractionOf(`load/${load.proxy.key}`), source.intervalMs, now, random)
  }

  tick(now: number): void {
    const { plan, attempts } = takeDue(this.#plan, now, this.#random)
    this.#plan = plan
    if (attempts.length > 0 && this.#asking === undefined) void this.#ask()
  }

  /** When the next question is due. */
  get nextAt(): number {
    return nextDue(this.#plan)
  }

  close(): void {
    this.#isClosed = true
    this.#asking?.abort()
    this.#source.close()
  }

  async #ask(): Promise<void> {
    const asking = new AbortController()
    this.#asking = asking
    const late = new Error(`no answer within ${this.#timeoutMs} ms`)
    const timer = setTimeout(() => asking.abort(late), this.#timeoutMs)
    const answer = await this.#source.ask(asking.signal)
    clearTimeout(timer)
    this.#asking = undefined
    if (!this.#isClosed) tell(this.#load, this.#source, answer)
  }
}

function tell(load: ProxyLoad, source: LoadSourceClient | undefined, answer: LoadAnswer): void {
  if (source === undefined) return
  if (answer.kind === 'report') load.reported(source.name, answer.report)
  else load.failed(source.name, answer.problem)
}
