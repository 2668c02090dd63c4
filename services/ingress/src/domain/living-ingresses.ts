/** Each tells its traffic every 250 ms. */
const LIVING_MS = 2000

/** How many ingresses share the pools with this one. */
export class LivingIngresses {
  readonly #self: string
  readonly #seenAt = new Map<string, number>()

  constructor(self: string) {
    this.#self = self
  }

  seen(instance: string, now: number): void {
    if (instance !== this.#self) this.#seenAt.set(instance, now)
  }

  /** This one included. */
  count(now: number): number {
    for (const [instance, at] of this.#seenAt) if (now - at >= LIVING_MS) this.#seenAt.delete(instance)
    return this.#seenAt.size + 1
  }
}
