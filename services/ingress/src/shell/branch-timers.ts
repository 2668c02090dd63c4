import type { Timer, TimerOwner, TimerWheel } from './timer-wheel.ts'

/** RFC 3261, 16.6 step 11: over three minutes. */
const TIMER_C_MS = 181_000
/** Time to read what came while this process was held up. */
const DOUBT_MS = 250

export interface BranchTimerHooks {
  /** Nothing was heard of it for as long as was given. */
  silent(): void
  /** Timer C. */
  rangOut(): void
}

/** How long one branch may take, beside the timers of its transaction. */
export class BranchTimers implements TimerOwner {
  readonly #wheel: TimerWheel
  readonly #hooks: BranchTimerHooks
  #silence: Timer | undefined
  #ringing: Timer | undefined

  constructor(wheel: TimerWheel, hooks: BranchTimerHooks) {
    this.#wheel = wheel
    this.#hooks = hooks
  }

  watchSilence(ms: number): void {
    this.#silence = this.#wheel.setFor(this, 'silence', ms)
  }

  /** Starts Timer C, or starts it anew. */
  watchRinging(): void {
    this.#ringing?.cancel()
    this.#ringing = this.#wheel.setFor(this, 'C', TIMER_C_MS)
  }

  stop(): void {
    this.#silence?.cancel()
    this.#ringing?.cancel()
  }

  timerDue(name: 'silence' | 'C'): void {
    if (name === 'C') this.#hooks.rangOut()
    // A second branch for a proxy that did answer makes two calls of one, so we doubt ourselves first.
    else if (this.#wheel.isLate) this.watchSilence(DOUBT_MS)
    else this.#hooks.silent()
  }
}
