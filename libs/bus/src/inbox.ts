/** Octets: of what is larger, one is read in each turn of the event loop. */
export const LARGE = 16 * 1024

/** Hands messages on in their order; at a gentle pace of the large ones one in each turn of the event loop: many do not add up to a pause. */
export class Inbox<M extends { readonly data: Uint8Array }> {
  readonly #handle: (message: M) => void
  /** Octets. */
  readonly #atOnce: number
  readonly #waiting: M[] = []

  constructor(handle: (message: M) => void, pace?: 'gentle') {
    this.#handle = handle
    this.#atOnce = pace === 'gentle' ? LARGE : Number.POSITIVE_INFINITY
  }

  take(message: M): void {
    if (this.#waiting.length === 0 && message.data.length <= this.#atOnce) this.#handle(message)
    else if (this.#waiting.push(message) === 1) setImmediate(this.#oneTurn)
  }

  /** Up to and with a large one. */
  readonly #oneTurn = (): void => {
    for (let message = this.#waiting[0]; message !== undefined; [message] = this.#waiting) {
      this.#waiting.shift()
      this.#handle(message)
      if (message.data.length > this.#atOnce) break
    }
    if (this.#waiting.length > 0) setImmediate(this.#oneTurn)
  }
}
