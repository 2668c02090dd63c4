/** A timer that was set; `cancel` may be called at any time. */
export interface Timer {
  cancel(): void
}

interface Node extends Timer {
  previous: Node | undefined
  next: Node | undefined
  slot: number
  rounds: number
  run: (() => void) | undefined
}

const SLOT_MS = 8
/** A tick that comes later than this says that the process itself was held up, and for how long that is remembered. */
const LATE_MS = 50
const LATE_KEPT_MS = 500
const SLOTS = 4096

/**
 * Timers of transactions: very many, most of them cancelled before they are due. Setting and cancelling cost the same however
 * many there are (Varghese and Lauck, SOSP 1987, scheme 6). Due within 8 ms after their time, never before; one slot is
 * looked at per tick, and no tick runs while no timer is set.
 */
export class TimerWheel {
  readonly #slots: (Node | undefined)[] = Array.from({ length: SLOTS })
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
    if (this.#count === 0) this.#positionAt = this.#now()
    const dueIn = this.#now() - this.#positionAt + Math.max(ms, 0)
    const steps = Math.floor(dueIn / SLOT_MS) + 1
    const slot = (this.#position + steps) % SLOTS
    const node: Node = {
      previous: undefined,
      next: undefined,
      slot,
      rounds: Math.floor((steps - 1) / SLOTS),
      run,
      cancel: () => this.#remove(node),
    }
    this.#insert(node)
    this.#tick ??= setTimeout(() => this.#advance(), SLOT_MS)
    return node
  }

  stop(): void {
    clearTimeout(this.#tick)
    this.#tick = undefined
    // Whoever holds a timer may cancel it still: it must not count twice.
    for (const first of this.#slots) for (let node = first; node !== undefined; node = node.next) node.run = undefined
    this.#slots.fill(undefined)
    this.#count = 0
  }

  #insert(node: Node): void {
    const head = this.#slots[node.slot]
    node.next = head
    if (head !== undefined) head.previous = node
    this.#slots[node.slot] = node
    this.#count += 1
  }

  #remove(node: Node): void {
    if (node.run === undefined) return
    node.run = undefined
    if (node.previous === undefined) this.#slots[node.slot] = node.next
    else node.previous.next = node.next
    if (node.next !== undefined) node.next.previous = node.previous
    this.#count -= 1
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
    let node = this.#slots[position]
    while (node !== undefined) {
      // A run may cancel others of this slot: a removed one keeps its `next`, so the walk goes on.
      const { next, run } = node
      if (run !== undefined) {
        if (node.rounds > 0) node.rounds -= 1
        else {
          this.#remove(node)
          try {
            run()
          } catch (error) {
            this.#onError(error)
          }
        }
      }
      node = next
    }
  }
}
