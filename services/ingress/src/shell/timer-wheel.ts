/** A timer that was set; `cancel` may be called at any time. */
export interface Timer {
  readonly name: string
  cancel(): void
}

/** Who is told when a timer is due; who has several tells them apart by name, and needs no function for each. */
export interface TimerOwner {
  timerDue(name: string): void
}

class WheelTimer implements Timer {
  previous: WheelTimer | undefined = undefined
  next: WheelTimer | undefined = undefined
  readonly slot: number
  rounds: number
  readonly name: string
  /** Undefined once it was due or cancelled. */
  owner: TimerOwner | undefined
  readonly #wheel: TimerWheel

  constructor(wheel: TimerWheel, slot: number, rounds: number, owner: TimerOwner, name: string) {
    this.#wheel = wheel
    this.slot = slot
    this.rounds = rounds
    this.owner = owner
    this.name = name
  }

  cancel(): void {
    if (this.owner !== undefined) this.#wheel.remove(this)
  }
}

const SLOT_MS = 20
/** A tick that comes later than this says that the process itself was held up, and for how long that is remembered. */
const LATE_MS = 50
const LATE_KEPT_MS = 500
const TURN_BITS = 12
const SLOTS = 1 << TURN_BITS

/**
 * Timers of transactions: very many, most of them cancelled before they are due. Setting and cancelling cost the same however
 * many there are (Varghese and Lauck, SOSP 1987, scheme 6). Due within 20 ms after their time, never before; one slot is
 * looked at per tick, and no tick runs while no timer is set.
 */
export class TimerWheel {
  readonly #slots: (WheelTimer | undefined)[] = Array.from({ length: SLOTS })
  readonly #now: () => number
  readonly #onError: (error: unknown) => void
  #position = 0
  #positionAt: number
  #count = 0
  #tick: NodeJS.Timeout | undefined
  #lateUntil = Number.NEGATIVE_INFINITY

  constructor(now: () => number, onError: (error: unknown) => void) {
    this.#now = now
    this.#onError = onError
    this.#positionAt = now()
  }

  get size(): number {
    return this.#count
  }

  /** This process was held up a moment ago: silence may be its own, for answers may lie unread. */
  get isLate(): boolean {
    return this.#now() < this.#lateUntil
  }

  set(ms: number, run: () => void): Timer {
    return this.setFor({ timerDue: run }, '', ms)
  }

  setFor(owner: TimerOwner, name: string, ms: number): Timer {
    const steps = this.#stepsUntil(ms)
    const slot = (this.#position + steps) & (SLOTS - 1)
    const timer = new WheelTimer(this, slot, (steps - 1) >>> TURN_BITS, owner, name)
    this.#insert(timer)
    this.#tick ??= setTimeout(() => this.#advance(), SLOT_MS)
    return timer
  }

  /** For timers themselves. */
  remove(timer: WheelTimer): void {
    timer.owner = undefined
    if (timer.previous === undefined) this.#slots[timer.slot] = timer.next
    else timer.previous.next = timer.next
    if (timer.next !== undefined) timer.next.previous = timer.previous
    this.#count -= 1
  }

  stop(): void {
    clearTimeout(this.#tick)
    this.#tick = undefined
    // Whoever holds a timer may cancel it still: it must not count twice.
    for (const first of this.#slots)
      for (let timer = first; timer !== undefined; timer = timer.next) timer.owner = undefined
    this.#slots.fill(undefined)
    this.#count = 0
  }

  #stepsUntil(ms: number): number {
    const now = this.#now()
    if (this.#count === 0) this.#positionAt = now
    return ((now - this.#positionAt + Math.max(ms, 0)) / SLOT_MS + 1) | 0
  }

  #insert(timer: WheelTimer): void {
    const head = this.#slots[timer.slot]
    timer.next = head
    if (head !== undefined) head.previous = timer
    this.#slots[timer.slot] = timer
    this.#count += 1
  }

  #advance(): void {
    const now = this.#now()
    if (now - this.#positionAt > SLOT_MS + LATE_MS) this.#lateUntil = now + LATE_KEPT_MS
    while (this.#positionAt + SLOT_MS <= now) {
      this.#positionAt += SLOT_MS
      this.#position = (this.#position + 1) % SLOTS
      this.#runSlot(this.#position)
    }
    this.#tick = this.#count > 0 ? setTimeout(() => this.#advance(), SLOT_MS) : undefined
  }

  #runSlot(position: number): void {
    let timer = this.#slots[position]
    while (timer !== undefined) {
      // A run may cancel others of this slot: a removed one keeps its `next`, so the walk goes on.
      const { next, owner } = timer
      if (owner !== undefined && timer.rounds === 0) {
        this.remove(timer)
        this.#run(owner, timer.name)
      } else timer.rounds -= 1
      timer = next
    }
  }

  #run(owner: TimerOwner, name: string): void {
    try {
      owner.timerDue(name)
    } catch (error) {
      this.#onError(error)
    }
  }
}
