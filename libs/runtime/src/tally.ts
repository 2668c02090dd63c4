import { Counter, type CounterConfiguration } from 'prom-client'

/** How often something happened with these labels, and, below it, with one more. */
interface Cell {
  readonly values: readonly string[]
  readonly below: Map<string, Cell>
  count: number
}

const newCell = (...values: readonly string[]): Cell => ({ values, below: new Map(), count: 0 })

/**
 * A counter for what happens with every message: counts in place, and is added up only when somebody asks for the figures. `inc` of a
 * labelled counter checks and joins its labels each time, which takes about as long as reading a header.
 */
export class Tally {
  readonly #root = newCell()
  readonly #labels: readonly string[]

  constructor(configuration: CounterConfiguration<string> & { readonly labelNames: readonly string[] }) {
    this.#labels = configuration.labelNames
    const counter: Counter = new Counter({ ...configuration, collect: () => this.#addTo(counter, this.#root) })
  }

  /** @param values of the labels, in their order */
  count(...values: readonly string[]): void {
    let cell = this.#root
    for (let i = 0; i < values.length; i++) cell = belowOf(cell, values[i] ?? '')
    cell.count += 1
  }

  #addTo(counter: Counter, cell: Cell): void {
    if (cell.count > 0) {
      const labels = Object.fromEntries(this.#labels.map((label, i) => [label, cell.values[i] ?? '']))
      counter.inc(labels, cell.count)
      cell.count = 0
    }
    for (const below of cell.below.values()) this.#addTo(counter, below)
  }
}

function belowOf(cell: Cell, value: string): Cell {
  let found = cell.below.get(value)
  if (found === undefined) {
    found = newCell(...cell.values, value)
    cell.below.set(value, found)
  }
  return found
}
