import { createInbox, type NatsConnection, type Subscription } from 'nats'
import type { KeptConnection } from './nats-connection.ts'

/** Publishes them, each with the reply subject that is named for it, if any. False: not connected, and so dropped. */
export type PublishBatches = (batches: readonly Uint8Array[], replyTo: () => string | undefined) => boolean

/** So often it is asked whether those who heard have left. */
const LEFT_MS = 1000
const NO_RESPONDERS = 503

/** Those who hear a subject, if there are any: a server says of a message with a reply subject when nobody hears it ("no responders"). */
export class Audience {
  readonly #connection: Pick<KeptConnection, 'current' | 'onChange'>
  readonly #publish: PublishBatches
  #replies: Subscription | undefined
  #inbox = ''
  #isThere = true
  #asks = 0
  #askedAt = Number.NEGATIVE_INFINITY
  /** The last message that asked, and that nobody heard. */
  #unheard = 0
  #giveUp: (() => void) | undefined

  constructor(connection: Pick<KeptConnection, 'current' | 'onChange'>, publish: PublishBatches) {
    this.#connection = connection
    this.#publish = publish
    connection.onChange((nc) => (nc === undefined ? this.#lost() : this.#meet(nc)))
  }

  /** Whether anybody was there when it was last asked; true while that is not known. */
  get isThere(): boolean {
    return this.#isThere
  }

  /** False: not connected, and so dropped. */
  send(batches: readonly Uint8Array[]): boolean {
    return this.#publish(batches, () => (performance.now() - this.#askedAt < LEFT_MS ? undefined : this.#nextReply()))
  }

  /** Sends them, and tells whether anybody hears it. True where the connection goes before that is known. */
  async ask(batches: readonly Uint8Array[]): Promise<boolean> {
    const { current } = this.#connection
    this.#publish(batches, () => this.#nextReply())
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
