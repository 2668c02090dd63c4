import type { Effect, SipResponse, Step, TimerName } from '@siplb/sip'
import type { Timer, TimerWheel } from './timer-wheel.ts'

/** What the runner of a transaction does with its effects. */
export interface TransactionHooks {
  send(bytes: Buffer): void
  response?(response: SipResponse): void
  timeout?(): void
  transportFailed?(): void
  tryingDue?(): void
  ackReceived?(): void
  ended(): void
}

/** Runs one transaction machine of `@siplb/sip`: keeps its state and timers, and carries out its effects in order. */
export class Transaction<State, Event> {
  readonly #step: (state: State, event: Event | { kind: 'timer'; timer: TimerName }) => Step<State>
  readonly #wheel: TimerWheel
  readonly #hooks: TransactionHooks
  readonly #timers = new Map<TimerName, Timer>()
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

  /** Ends it without a word: nothing can come any more. */
  abandon(): void {
    this.#clearTimers()
    this.#hooks.ended()
  }

  #carryOut(effects: readonly Effect[]): void {
    for (const effect of effects) this.#carryOutOne(effect)
  }

  #carryOutOne(effect: Effect): void {
    switch (effect.kind) {
      case 'send':
        return this.#hooks.send(effect.bytes)
      case 'set-timer':
        return this.#setTimer(effect.timer, effect.ms)
      case 'clear-timer':
        this.#timers.get(effect.timer)?.cancel()
        return
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

  #setTimer(timer: TimerName, ms: number): void {
    this.#timers.get(timer)?.cancel()
    this.#timers.set(
      timer,
      this.#wheel.set(ms, () => this.handle({ kind: 'timer', timer })),
    )
  }

  #clearTimers(): void {
    for (const timer of this.#timers.values()) timer.cancel()
    this.#timers.clear()
  }
}
