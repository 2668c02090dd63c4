import type { LoadSource } from '@siplb/contracts'
import { fractionOf } from '../domain/hash.ts'
import { firstPlan, takeDue, type Plan } from '../domain/probe-schedule.ts'
import { askKamailio } from './kamailio-load.ts'
import type { ProxyLoad } from './proxy-load.ts'

/** Longest wait for an answer; shorter where it is asked more often, so that questions never overlap. */
const TIMEOUT_MS = 1000

/** Asks one proxy for its load at the rate that its load source has; one question at a time. */
export class LoadQuery {
  readonly #url: string
  readonly #load: ProxyLoad
  readonly #random: () => number
  readonly #timeoutMs: number
  #plan: Plan
  #asking: AbortController | undefined
  #isClosed = false

  constructor(url: string, source: LoadSource, load: ProxyLoad, now: number, random: () => number) {
    this.#url = url
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

  close(): void {
    this.#isClosed = true
    this.#asking?.abort()
  }

  async #ask(): Promise<void> {
    const asking = new AbortController()
    this.#asking = asking
    const late = new Error(`no answer within ${this.#timeoutMs} ms`)
    const timer = setTimeout(() => asking.abort(late), this.#timeoutMs)
    const answer = await askKamailio(this.#url, asking.signal)
    clearTimeout(timer)
    this.#asking = undefined
    if (this.#isClosed) return
    if (answer.kind === 'report') this.#load.reported('kamailio', answer.report)
    else this.#load.failed('kamailio', answer.problem)
  }
}
