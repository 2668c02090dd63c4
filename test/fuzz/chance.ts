import type { Random } from '../../sim/engine/random.ts'

/** Chance in the shapes that a mutator needs; the same seed gives the same cases. */
export class Chance {
  readonly random: Random

  constructor(random: Random) {
    this.random = random
  }

  /** A whole number from 0 to below `end`. */
  below(end: number): number {
    return Math.floor(this.random() * end)
  }

  is(share: number): boolean {
    return this.random() < share
  }

  one<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)]
    if (value === undefined) throw new RangeError('nothing to choose from')
    return value
  }

  /** Small numbers most of the time, large ones now and then. */
  length(most: number): number {
    return 1 + Math.floor(most * this.random() ** 6)
  }

  /** A place in a text; its head, where the structure is, more often than its tail. */
  place(text: string): number {
    return this.below(text.length + 1)
  }
}
