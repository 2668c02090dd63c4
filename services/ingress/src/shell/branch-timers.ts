import type { Branch } from '../domain/branch.ts'
import type { Timer, TimerWheel } from './timer-wheel.ts'

/** RFC 3261, 16.6 step 11: over three minutes. */
const TIMER_C_MS = 181_000
/** Time to read what came while this process was held up. */
const DOUBT_MS = 250

export interface BranchTimerHooks {
  /** Nothing was heard of it for as long as was given. */
  silent(branch: Branch): void
  /** Timer C. */
  rangOut(branch: Branch): void
}

/** How long the branches of one request may take, beside the timers of their transactions. */
export class BranchTimers {
  readonly #wheel: TimerWheel
  readonly #hooks: BranchTimerHooks
  readonly #silence = new Map<Branch, Timer>()
  readonly #ringing = new Map<Branch, Timer>()

  constructor(wheel: TimerWheel, hooks: BranchTimerHooks) {
    this.#wheel = wheel
    this.#hooks = hooks
  }

  // A second branch for a proxy that did answer makes two calls of one, so we doubt ourselves first.
  watchSilence(branch: Branch, ms: number): void {
    const look = () => (this.#wheel.isLate ? this.watchSilence(branch, DOUBT_MS) : this.#hooks.silent(branch))
    this.#silence.set(branch, this.#wheel.set(ms, look))
  }

  /** Starts Timer C, or starts it anew. */
  watchRinging(branch: Branch): void {
    this.#ringing.get(branch)?.cancel()
    this.#ringing.set(
      branch,
      this.#wheel.set(TIMER_C_MS, () => this.#hooks.rangOut(branch)),
    )
  }

  stop(branch: Branch): void {
    this.#silence.get(branch)?.cancel()
    this.#ringing.get(branch)?.cancel()
  }
}
