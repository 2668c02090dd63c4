import { createInbox, type MsgHdrs, type NatsConnection, type Subscription } from 'nats'
import type { KeptConnection } from './nats-connection.ts'

export interface AudienceOptions {
  readonly connection: Pick<KeptConnection, 'current' | 'onChange'>
  readonly subject: string
  readonly headers: MsgHdrs
  readonly published: () => void
  /** There is no connection. */
  readonly unpublished: () => void
}

/** So often it is asked whether those who heard have left. */
const LEFT_MS = 1000
const NO_RESPONDERS = 503

/** Those who hear a subject, if there are any: a server says of a message with a reply subject when nobody hears it ("no responders"). */
export class Audience {
  readonly #options: AudienceOptions
  #replies: Subscription | undefined
  #inbox = ''
  #isThere = true
  #asks = 0
  #askedAt = Number.NEGATIVE_INFINITY
  /** The last message that asked, and that nobody heard. */
  #unheard = 0
  #giveUp: (() => void) | undefined

  constructor(options: AudienceOptions) {
    this.#options = options
    options.connection.onChange((nc) => (nc === undefined ? this.#lost() : this.#meet(nc)))
  }

  /** Whether anybody was there when it was last asked; true while that is not known. */
  get isThere(): boolean {
    return this.#isThere
  }

  /** False: not connected, and so dropped. */
  send(batches: readonly Uint8Array[]): boolean {
    return this.#publish(batches, LEFT_MS)
  }

  /** Sends them, and tells whether anybody hears it. True where the connection goes before that is known. */
  async ask(batches: readonly Uint8Array[]): Promise<boolean> {
    const { current } = this.#options.connection
    this.#publish(batches, 0)
    const ask = this.#asks
    if (current === undefined) return this.#isThere
    // The server answers in order: what it says of the message comes before what it says to a ping.
    await new Promise<void>((resolve) => {
      this.#giveUp = resolve // a connection that is closed for good answers no ping
      current.flush().then(resolve, resolve)
    })
    if (ask === this.#asks) this.#isThere = this.#unheard !== ask
    return this.#isThere
  }

  #publish(batches: readonly Uint8Array[], askEveryMs: number): boolean {
    const { connection, subject, headers, published, unpublished } = this.#options
    const nc = connection.current
    if (nc === undefined) {
      unpublished()
      return false
    }
    for (const batch of batches) {
      nc.publish(subject, batch, this.#isToAsk(askEveryMs) ? { headers, reply: this.#nextReply() } : { headers })
      published()
    }
    return true
  }

  #isToAsk(everyMs: number): boolean {
    return performance.now() - this.#askedAt >= everyMs
  }

  #nextReply(): string {
    this.#asks += 1
    this.#askedAt = performance.now()
    return `${this.#inbox}.${this.#asks}`
  }

  #meet(nc: NatsConnection): void {
    this.#inbox = createInbox()
    this.#replies = nc.subscribe(`${this.#inbox}.*`, {
      callback: (error, message) => {
        if (error === null && message.headers?.code === NO_RESPONDERS) this.#noteUnheard(message.subject)
      },
    })
  }

  #noteUnheard(reply: string): void {
    this.#unheard = Number(reply.slice(reply.lastIndexOf('.') + 1))
    if (this.#unheard === this.#asks) this.#isThere = false
  }

  /** Who is there behind the next connection is not known. */
  #lost(): void {
    this.#replies?.unsubscribe()
    this.#isThere = true
    this.#asks += 1
    this.#askedAt = Number.NEGATIVE_INFINITY
    this.#giveUp?.()
  }
}
