import { createInbox, type MsgHdrs, type NatsConnection, type Subscription } from 'nats'

export interface AudienceOptions {
  readonly subject: string
  readonly headers: MsgHdrs
}

/** So often it is asked whether those who heard have left. */
const LEFT_MS = 1000
const NO_RESPONDERS = 503

/** Those who hear a subject, if there are any: a server says of a message with a reply subject when nobody hears it ("no responders"). */
export class Audience {
  readonly #options: AudienceOptions
  #nc: NatsConnection | undefined
  #replies: Subscription | undefined
  #inbox = ''
  #isThere = true
  #asks = 0
  #askedAt = Number.NEGATIVE_INFINITY
  /** The last message that asked, and that nobody heard. */
  #unheard = 0

  constructor(options: AudienceOptions) {
    this.#options = options
  }

  /** Whether anybody was there when it was last asked; true while that is not known. */
  get isThere(): boolean {
    return this.#isThere
  }

  publish(nc: NatsConnection, batches: readonly Uint8Array[]): void {
    this.#meet(nc)
    for (const batch of batches) {
      if (performance.now() - this.#askedAt < LEFT_MS) this.#send(nc, batch)
      else this.#sendAsking(nc, batch)
    }
  }

  /** Publishes them, and tells whether anybody hears it. True where the connection goes before that is known. */
  async ask(nc: NatsConnection, batches: readonly Uint8Array[]): Promise<boolean> {
    this.#meet(nc)
    for (const batch of batches) this.#sendAsking(nc, batch)
    const ask = this.#asks
    // The server answers in order: what it says of the message comes before what it says to a ping.
    await nc.flush().catch(() => {}) // fails when the connection goes
    if (ask === this.#asks) this.#isThere = this.#unheard !== ask
    return this.#isThere
  }

  /** The connection is gone: who is there behind the next one is not known. */
  lost(): void {
    this.#isThere = true
    this.#asks += 1
    this.#askedAt = Number.NEGATIVE_INFINITY
    this.#replies?.unsubscribe()
    this.#nc = undefined
  }

  #meet(nc: NatsConnection): void {
    if (nc === this.#nc) return
    this.#nc = nc
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

  #sendAsking(nc: NatsConnection, batch: Uint8Array): void {
    this.#asks += 1
    this.#askedAt = performance.now()
    this.#send(nc, batch, `${this.#inbox}.${this.#asks}`)
  }

  #send(nc: NatsConnection, batch: Uint8Array, reply?: string): void {
    const { subject, headers } = this.#options
    nc.publish(subject, batch, reply === undefined ? { headers } : { headers, reply })
  }
}
