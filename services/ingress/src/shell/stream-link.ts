import { connectStream, type Endpoint, type StreamConnection, type TlsClient } from '@siplb/sip/transport'
import { ProxyLink, type LinkHandlers } from './proxy-link.ts'

/** A proxy that does not take a connection for so long is gone; the caller may still wait for another one. */
const CONNECT_MS = 1500

/** By TCP or TLS: one connection for all that goes there, made anew when it ended. */
export class StreamLink extends ProxyLink {
  readonly #tls: () => TlsClient | undefined
  #connection: StreamConnection | undefined

  constructor(endpoint: Endpoint, handlers: LinkHandlers, now: () => number, tls: () => TlsClient | undefined) {
    super(endpoint, handlers, now)
    this.#tls = tls
  }

  get isOpen(): boolean {
    return this.#connection?.isOpen === true
  }

  protected async connect(): Promise<void> {
    const tls = this.#tls()
    this.#connection = await connectStream(
      { remote: this.endpoint, connectMs: CONNECT_MS, ...(tls === undefined ? {} : { tls }) },
      {
        onPacket: (packet) => this.heard(packet),
        onClosed: (connection) => {
          if (connection === this.#connection) this.#ended()
        },
        onProblem: (problem) => this.handlers.onProblem(problem),
      },
    )
  }

  protected async disconnect(): Promise<void> {
    await this.#connection?.close()
  }

  protected sendNow(bytes: Buffer): boolean {
    // Half closed: nothing comes by it any more.
    if (this.#connection?.isOpen === false) this.#ended()
    this.#connection?.send(bytes)
    return this.#connection !== undefined
  }

  // What has no response yet may not have arrived. What has one can still get its final response, by a connection that the proxy
  // makes to our sent-by (RFC 3261, 18.2.2).
  #ended(): void {
    this.#connection = undefined
    this.reopenLater()
    const unanswered = this.pending.take((waiter) => !waiter.isAnswered)
    const unconfirmed = [...this.unconfirmed.values()]
    this.unconfirmed.clear()
    for (const giveUp of unconfirmed) giveUp()
    for (const waiter of unanswered) waiter.linkLost()
  }
}
