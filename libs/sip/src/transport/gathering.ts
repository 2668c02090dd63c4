import type { Packet } from './flow.ts'

export interface GatheringOptions {
  readonly later: (ms: number, work: () => void) => void
}

type Taker = (packet: Packet) => void

/** So long the load is measured before it counts. */
const WINDOW_MS = 50
/** Datagrams a second, a call has seven: from here on they are gathered, and below the other they are not any more. */
export const BUSY = 4500
export const QUIET = 3800
/** How long a datagram waits at most for others. */
export const GATHER_MS = 1

/**
 * Datagrams under load, one handful a millisecond. Between two of them that are taken singly the processor forgets, for other
 * processes run there too, what it takes to route a message: a handful costs about as much as two. While there is little to do, a
 * datagram is taken at once.
 */
export class Gathering {
  readonly #options: GatheringOptions
  #waiting: { readonly packet: Packet; readonly take: Taker }[] = []
  #isBusy = false
  #count = 0
  #since = Number.NEGATIVE_INFINITY

  constructor(options: GatheringOptions) {
    this.#options = options
  }

  get isBusy(): boolean {
    return this.#isBusy
  }

  /** @param take is given the packet, now or soon */
  receive(packet: Packet, take: Taker): void {
    this.#measure(packet.receivedAt)
    if (!this.#isBusy && this.#waiting.length === 0) return take(packet)
    this.#waiting.push({ packet, take })
    if (this.#waiting.length === 1) this.#options.later(GATHER_MS, this.#takeAll)
  }

  readonly #takeAll = (): void => {
    const waiting = this.#waiting
    this.#waiting = []
    for (const { packet, take } of waiting) take(packet)
  }

  #measure(now: number): void {
    this.#count += 1
    const elapsed = now - this.#since
    if (elapsed < WINDOW_MS) return
    const perSecond = (this.#count / elapsed) * 1000
    this.#isBusy = perSecond >= (this.#isBusy ? QUIET : BUSY)
    this.#count = 0
    this.#since = now
  }
}
