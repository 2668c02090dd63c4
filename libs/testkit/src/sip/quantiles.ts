const KEPT = 10_000

export interface Quantiles {
  readonly count: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly max: number
}

/** Quantiles of the last 10,000 values; zeros where there are none. */
export class Samples {
  readonly #values: number[] = []
  #count = 0

  add(value: number): void {
    this.#values[this.#count++ % KEPT] = value
  }

  quantiles(): Quantiles {
    const sorted = this.#values.toSorted((a, b) => a - b)
    const at = (q: number) => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? 0
    return { count: this.#count, p50: at(0.5), p90: at(0.9), p99: at(0.99), max: sorted.at(-1) ?? 0 }
  }
}
