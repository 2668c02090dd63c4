/** Who waits for a response by a link. */
export interface Waiter {
  /** There was a response already, so that the request arrived. */
  readonly isAnswered: boolean
  /** Of who it is among the others, for them alone; -1 where it waits for nothing. */
  place: number
  /** None can come any more. */
  linkLost(): void
}

/**
 * Those who wait, each for some milliseconds. No Set: that makes itself a new table all the time, and the old ones, which hold who waited
 * at that moment, keep him and his messages until the next large collection.
 */
export class Waiters {
  readonly #all: Waiter[] = []

  get size(): number {
    return this.#all.length
  }

  add(waiter: Waiter): void {
    waiter.place = this.#all.length
    this.#all.push(waiter)
  }

  delete(waiter: Waiter): void {
    const { place } = waiter
    if (this.#all[place] !== waiter) return
    waiter.place = -1
    const last = this.#all.pop()
    if (last === undefined || last === waiter) return
    last.place = place
    this.#all[place] = last
  }

  /** Takes them away: those that `isWanted`, or all. */
  take(isWanted: (waiter: Waiter) => boolean = () => true): Waiter[] {
    const taken = this.#all.filter(isWanted)
    for (const waiter of taken) this.delete(waiter)
    return taken
  }
}
