const WINDOW_MS = 10_000

/** How many requests each proxy got in the last ten seconds. `now`: monotonic milliseconds. */
export class RecentRequests {
  #seen: readonly { readonly at: number; readonly key: string; readonly requests: number }[] = []

  add(pool: string, proxy: string, requests: number, now: number): void {
    if (requests === 0) return
    this.#seen = [
      ...this.#seen.filter(({ at }) => now - at < WINDOW_MS),
      { at: now, key: `${pool}/${proxy}`, requests },
    ]
  }

  of(pool: string, proxy: string, now: number): number {
    return this.#seen
      .filter(({ at, key }) => key === `${pool}/${proxy}` && now - at < WINDOW_MS)
      .reduce((sum, { requests }) => sum + requests, 0)
  }
}
