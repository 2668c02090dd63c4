import { draw, pickFreshest, type Chooser, type Snapshot } from '@siplb/routing'

/**
 * Where new requests of a pool would have gone by its shadow, counted by proxy. The work it picks by is what the real choices have
 * outstanding, for nothing is sent where it says.
 */
export class ShadowCount {
  readonly #counts = new Map<string, number>()

  /** `key`: what rendezvous hashes. Undefined when the shadow has nobody who could take it. */
  choose(
    snapshot: Snapshot,
    chooser: Chooser,
    key: string | undefined,
    workOf: (proxy: string) => number,
  ): string | undefined {
    const { candidates, pick } = draw(snapshot, chooser, key)
    const proxy = pickFreshest(candidates, pick, workOf)[0]?.proxy
    if (proxy !== undefined) this.#counts.set(proxy, (this.#counts.get(proxy) ?? 0) + 1)
    return proxy
  }

  /** Hands out what was counted for one proxy, and forgets it. */
  take(proxy: string): number {
    const count = this.#counts.get(proxy) ?? 0
    this.#counts.delete(proxy)
    return count
  }
}
