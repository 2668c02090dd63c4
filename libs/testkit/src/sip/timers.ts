/** RFC 3261, appendix A, in milliseconds. */
export interface SipTimers {
  readonly t1Ms: number
  readonly t2Ms: number
  /** Timers B, F, H and J: 64 × T1. */
  readonly giveUpMs: number
}

export const rfcTimers: SipTimers = { t1Ms: 500, t2Ms: 4000, giveUpMs: 32_000 }

/** Timers that can all be cleared at once, so that a closed endpoint leaves nothing behind. */
export class TimerSet {
  readonly #timers = new Set<NodeJS.Timeout>()

  after(ms: number, action: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      action()
    }, ms)
    this.#timers.add(timer)
    return timer
  }

  cancel(timer: NodeJS.Timeout | undefined): void {
    if (timer === undefined) return
    clearTimeout(timer)
    this.#timers.delete(timer)
  }

  clear(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }

  /** Calls `action` after `firstMs`, then at intervals that double up to `capMs`; `stop` ends it. */
  repeat(firstMs: number, capMs: number, action: () => void): { stop(): void } {
    let timer: NodeJS.Timeout | undefined
    const plan = (ms: number) => {
      timer = this.after(ms, () => {
        action()
        plan(Math.min(ms * 2, capMs))
      })
    }
    plan(firstMs)
    return { stop: () => this.cancel(timer) }
  }
}
