/** So many coordinates a point has, one for each draw of a choice. */
export const DIMENSIONS = 4

// The one root above 1 of x^5 = x + 1. Its negative powers are steps that never fall into step with one another.
const ROOT = 1.1673039782614187
const STEPS = [ROOT ** -1, ROOT ** -2, ROOT ** -3, ROOT ** -4]

/**
 * Points of the unit cube that fill it more evenly than chance does: an additive recurrence on the generalised golden ratio
 * (Roberts 2018, "The unreasonable effectiveness of quasirandom sequences"), begun anywhere (Cranley and Patterson 1976).
 * Each coordinate by itself gives every weight its share almost exactly, and any two of them together are as good as
 * independent: what follows a draw is spread over all proxies and not over a neighbour.
 */
export class Points {
  readonly #coordinates: Float64Array

  constructor(random: () => number) {
    this.#coordinates = Float64Array.from(STEPS, random)
  }

  /** The next point, in an array that is used again. */
  next(): Readonly<Float64Array> {
    for (let i = 0; i < DIMENSIONS; i++) {
      const moved = (this.#coordinates[i] ?? 0) + (STEPS[i] ?? 0)
      this.#coordinates[i] = moved < 1 ? moved : moved - 1
    }
    return this.#coordinates
  }
}
