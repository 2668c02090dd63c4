import type { Effect, SipResponse, Step, TimerName } from '@siplb/sip'
import type { Timer, TimerOwner, TimerWheel } from './timer-wheel.ts'

/** What the runner of a transaction does with its effects. */
export interface TransactionHooks {
  send(bytes: Buffer): void
  response?(response: SipResponse): void
  timeout?(): void
  transportFailed?(): void
  tryingDue?(): void
  ackReceived?(): void
  /** Nothing but copies is waited for any more, for so long. True: somebody else waits for them. */
  rest?(ms: number): boolean
  ended(): void
}

/** Those after which something is sent again, or at all. */
const repeating: ReadonlySet<TimerName> = new Set<TimerName>(['A', 'E', 'G', 'trying'])

/** Those of the states that only absorb, or let 2xx through. */
const resting: ReadonlySet<TimerName> = new Set<TimerName>(['J', 'K', 'L', 'M'])

/** Runs one transaction machine of `@siplb/sip`: keeps its state and timers, and carries out its effects in order. */
export class Transaction<State, Event> implements TimerOwner {
  readonly #step: (state: State, event: Event | { kind: 'timer'; timer: TimerName }) => Step<State>
  readonly #wheel: TimerWheel
  readonly #hooks: TransactionHooks
  // At no time has a machine more than one timer of each kind.
  #repeat: Timer | undefined
  #end: Timer | undefined
  #state: State

  constructor(
    start: Step<State>,
    step: (state: State, event: Event | { kind: 'timer'; timer: TimerName }) => Step<State>,
    wheel: TimerWheel,
    hooks: TransactionHooks,
  ) {
    this.#step = step
    this.#wheel = wheel
    this.#hooks = hooks
    this.#state = start[0]
    this.#carryOut(start[1])
  }

  get state(): State {
    return this.#state
  }

  handle(event: Event | { kind: 'timer'; timer: TimerName }): void {
    const [state, effects] = this.#step(this.#state, event)
    this.#state = state
    this.#carryOut(effects)
  }

  timerDue(timer: TimerName): void {
    this.handle({ kind: 'timer', timer })
  }

  /** Ends it without a word: nothing can come any more. */
  abandon(): void {
    this.#clearTimers()
    this.#hooks.ended()
  }

  #carryOut(effects: readonly Effect[]): void {
    for (let i = 0; i < effects.length; i++) {
      const effect = effects[i]
      if (effect !== undefined) this.#carryOutOne(effect)
    }
  }

  #carryOutOne(effect: Effect): void {
    switch (effect.kind) {
      case 'send':
        return this.#hooks.send(effect.bytes)
      case 'set-timer':
        return this.#setTimer(effect.timer, effect.ms)
      case 'clear-timer':
        return this.#clearTimer(effect.timer)
      case 'response':
        return this.#hooks.response?.(effect.response)
      case 'timeout':
        return this.#hooks.timeout?.()
      case 'transport-failed':
        return this.#hooks.transportFailed?.()
      case 'trying-due':
        return this.#hooks.tryingDue?.()
      case 'ack-received':
        return this.#hooks.ackReceived?.()
      case 'ended':
        this.#clearTimers()
        return this.#hooks.ended()
    }
  }

  #setTimer(name: TimerName, ms: number): void {
    if (resting.has(name) && this.#hooks.rest?.(ms) === true) return
    const running = this.#wheel.setFor(this, name, ms)
    if (repeating.has(name)) {
      this.#repeat?.cancel()
      this.#repeat = running
    } else {
      this.#end?.cancel()
      this.#end = running
    }
  }

  #clearTimer(name: TimerName): void {
    if (this.#repeat?.name === name) {
      this.#repeat.cancel()
      this.#repeat = undefined
    } else if (this.#end?.name === name) {
      this.#end.cancel()
      this.#end = undefined
    }
  }

  #clearTimers(): void {
    this.#repeat?.cancel()
    this.#end?.cancel()
  }
}
