/** Simulated time in milliseconds, and what is to happen in it. Equal instants happen in the order in which they were set. */
export class Simulation {
  now = 0
  readonly #heap: Due[] = []
  #order = 0

  after(ms: number, run: () => void): void {
    this.#push({ at: this.now + Math.max(0, ms), order: this.#order++, run })
  }

  /** Runs every `ms`, the first time after `firstMs`. */
  every(ms: number, run: () => void, firstMs = ms): void {
    this.after(firstMs, () => {
      this.every(ms, run)
      run()
    })
  }

  runUntil(end: number): void {
    for (let due = this.#heap[0]; due !== undefined && due.at <= end; due = this.#heap[0]) {
      this.#pop()
      this.now = due.at
      due.run()
    }
    this.now = end
  }

  #push(due: Due): void {
    const heap = this.#heap
    let i = heap.length
    heap.push(due)
    while (i > 0) {
      const parent = (i - 1) >> 1
      const above = heap[parent]
      if (above === undefined || !isBefore(due, above)) break
      heap[i] = above
      i = parent
    }
    heap[i] = due
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      let next = heap[child]
      if (next === undefined) break
      const right = heap[child + 1]
      if (right !== undefined && isBefore(right, next)) {
        next = right
        child += 1
      }
      if (!isBefore(next, last)) break
      heap[i] = next
      i = child
    }
    heap[i] = last
  }
}

interface Due {
  readonly at: number
  readonly order: number
  readonly run: () => void
}

function isBefore(a: Due, b: Due): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order)
}
