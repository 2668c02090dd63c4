import type { TimerName } from '@siplb/sip'
import type { Timer, TimerOwner, TimerWheel } from './timer-wheel.ts'

/** Runs one transaction machine of `@siplb/sip`, whose sink it is: here are the timers, and the rest is said by each side. */
export abstract class Transaction implements TimerOwner {
  readonly #wheel: TimerWheel
  // At no time has a machine more than one timer of each kind.
  #repeat: Timer | undefined
  #end: Timer | undefined

  constructor(wheel: TimerWheel) {
    this.#wheel = wheel
  }

  abstract timerDue(name: TimerName): void

  /** Nothing but copies is waited for any more, for so long. True: somebody else waits for them. */
  protected abstract rest(ms: number): boolean

  setTimer(name: TimerName, ms: number): void {
    if (isResting(name) && this.rest(ms)) return
    const running = this.#wheel.setFor(this, name, ms)
    if (isRepeating(name)) {
      this.#repeat?.cancel()
      this.#repeat = running
    } else {
      this.#end?.cancel()
      this.#end = running
    }
  }

  clearTimer(name: TimerName): void {
    if (this.#repeat?.name === name) {
      this.#repeat.cancel()
      this.#repeat = undefined
    } else if (this.#end?.name === name) {
      this.#end.cancel()
      this.#end = undefined
    }
  }

  /** A link that is lost tells so itself, to all who wait. */
  transportFailed(): void {}

  protected clearTimers(): void {
    this.#repeat?.cancel()
    this.#end?.cancel()
  }
}

/** One after which something is sent again, or at all. */
function isRepeating(name: TimerName): boolean {
  return name === 'A' || name === 'E' || name === 'G' || name === 'trying'
}

/** One of the states that only absorb, or let 2xx through. */
function isResting(name: TimerName): boolean {
  return name === 'J' || name === 'K' || name === 'L' || name === 'M'
}
