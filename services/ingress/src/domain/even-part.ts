/** How much can be owed. */
const MOST = 10

/**
 * Takes out a part of what comes, by error diffusion: over any number the part is exact to about one. The threshold is drawn anew
 * each time, for a fixed one keeps time with whatever else comes in turn: of two proxies that are drawn by turns, a half would be
 * all that one of them was to get.
 */
export class EvenPart {
  readonly #random: () => number
  #owed = 0

  constructor(random: () => number) {
    this.#random = random
  }

  /** Whether this one is taken out. */
  takesOut(part: number): boolean {
    this.#owed += part
    if (part <= 0 || this.#owed < 1 - this.#random()) return false
    this.#owed -= 1
    return true
  }

  /** One could not be taken out: another one is, for it. */
  owe(part: number): void {
    this.#owed = Math.min(this.#owed + part, MOST)
  }
}
