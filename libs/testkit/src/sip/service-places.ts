import type { TimerSet } from './timers.ts'

/** So many places of service, and a queue before them: what makes a server slow when it gets too much. */
export class ServicePlaces {
  delayMs: number
  readonly #places: number
  readonly #timers: TimerSet
  readonly #queue: (() => void)[] = []
  #busy = 0

  constructor(places: number, delayMs: number, timers: TimerSet) {
    this.#places = places
    this.delayMs = delayMs
    this.#timers = timers
  }

  /** Serves one request: `done` is called after its turn has come and `delayMs` have passed. */
  serve(done: () => void): void {
    if (this.#busy >= this.#places) {
      this.#queue.push(done)
      return
    }
    this.#busy++
    this.#timers.after(this.delayMs, () => {
      this.#busy--
      const next = this.#queue.shift()
      if (next !== undefined) this.serve(next)
      done()
    })
  }

  /** Served and waiting over places, at most 1; 0 where places have no end. */
  load(): number {
    return Math.min(1, (this.#busy + this.#queue.length) / this.#places)
  }
}
