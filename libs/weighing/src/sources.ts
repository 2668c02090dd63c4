/** A bound on memory: nobody has so many probers or ingresses; who invents more is ignored. */
const MOST_SOURCES = 64

/** Sets a value by who said it; a new source where there are too many takes the place of the one that was silent longest. */
export function keep<T extends { readonly at: number }>(bySource: Map<string, T>, source: string, value: T): void {
  if (!bySource.has(source) && bySource.size >= MOST_SOURCES) {
    const [oldest] = [...bySource].sort(([, a], [, b]) => a.at - b.at)
    if (oldest !== undefined) bySource.delete(oldest[0])
  }
  bySource.set(source, value)
}
