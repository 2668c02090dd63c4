import type { Endpoint, Packet, SocketProblem } from '@siplb/sip/transport'
import type { Link } from './link.ts'
import { Waiters } from './waiters.ts'

/** How long a refusal is believed: then somebody may be listening again. */
const GONE_MS = 2000

export interface LinkHandlers {
  onPacket(packet: Packet): void
  /** The network said that nobody listens at this link's address. */
  onRefused(link: ProxyLink): void
  onProblem(problem: SocketProblem): void
}

/** A way that we opened ourselves, and that tells when nobody is at its end. */
export abstract class ProxyLink implements Link {
  readonly endpoint: Endpoint
  readonly pending = new Waiters()
  readonly unconfirmed = new Map<object, () => void>()
  protected readonly handlers: LinkHandlers
  readonly #now: () => number
  #opening: Promise<void> | undefined
  #waiting: Buffer[] = []
  #refusedAt = Number.NEGATIVE_INFINITY
  usedAt: number

  constructor(endpoint: Endpoint, handlers: LinkHandlers, now: () => number) {
    this.endpoint = endpoint
    this.handlers = handlers
    this.#now = now
    this.usedAt = now()
  }

  /** Refused a moment ago, and not heard of since. */
  get isGone(): boolean {
    return this.#now() - this.#refusedAt < GONE_MS
  }

  send(bytes: Buffer): void {
    this.usedAt = this.#now()
    if (this.sendNow(bytes)) return
    this.#waiting.push(bytes)
    void this.open()
  }

  /** Resolves when it is open, or could not be opened. */
  open(): Promise<void> {
    this.#opening ??= this.#open()
    return this.#opening
  }

  async close(): Promise<void> {
    await this.#opening
    await this.disconnect()
  }

  /** Nobody listens there any more: tells all who wait. */
  giveUpPending(): void {
    const [unconfirmed, waiting] = [[...this.unconfirmed.values()], this.pending.take()]
    this.unconfirmed.clear()
    for (const giveUp of unconfirmed) giveUp()
    for (const waiter of waiting) waiter.linkLost()
  }

  protected abstract connect(): Promise<void>
  protected abstract disconnect(): Promise<void>
  /** False while it is not open. */
  protected abstract sendNow(bytes: Buffer): boolean

  protected heard(packet: Packet): void {
    this.#refusedAt = Number.NEGATIVE_INFINITY
    // Mostly there is nothing, and to clear that makes a new table with each datagram.
    if (this.unconfirmed.size > 0) this.unconfirmed.clear()
    this.handlers.onPacket(packet)
  }

  protected refused(): void {
    this.#refusedAt = this.#now()
    this.handlers.onRefused(this)
    this.giveUpPending()
  }

  /** The next send opens it anew. */
  protected reopenLater(): void {
    this.#opening = undefined
  }

  async #open(): Promise<void> {
    try {
      await this.connect()
      this.#refusedAt = Number.NEGATIVE_INFINITY
      for (const bytes of this.#waiting.splice(0)) this.sendNow(bytes)
    } catch {
      this.#opening = undefined
      this.#waiting = []
      this.refused()
    }
  }
}
