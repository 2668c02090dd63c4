import { paramsOf, type RequestChannel } from '@siplb/contracts'
import { Empty, type ServiceMsg } from 'nats'
import type { BusObserver, Handler } from './bus.ts'
import { encodeJson, parseJson } from './codec.ts'
import { Refusal } from './errors.ts'
import type { ConnectionLog } from './nats-connection.ts'

/** Answers requests: checked before a handler sees them, and answered whatever it does. */
export class Answers {
  readonly #prefix: string
  readonly #observer: BusObserver
  readonly #log: ConnectionLog
  readonly #pending = new Set<Promise<void>>()

  constructor(prefix: string, observer: BusObserver, log: ConnectionLog) {
    this.#prefix = prefix
    this.#observer = observer
    this.#log = log
  }

  answer<Q, A>(channel: RequestChannel<Q, A>, message: ServiceMsg, handler: Handler<Q, A>): void {
    const pending = this.#answer(channel, message, handler)
      .catch((error: unknown) => this.#log.warn({ problem: String(error) }, 'answer not sent'))
      .finally(() => this.#pending.delete(pending))
    this.#pending.add(pending)
  }

  async allGiven(): Promise<void> {
    await Promise.all(this.#pending)
  }

  async #answer<Q, A>(channel: RequestChannel<Q, A>, message: ServiceMsg, handler: Handler<Q, A>): Promise<void> {
    this.#observer.received(channel.address)
    try {
      const body = this.#bodyOf(channel, message.data)
      const reply = await handler(body, paramsOf(this.#prefix, channel.address, message.subject))
      if (reply !== undefined) message.respond(encodeJson((channel.quickReply ?? channel.reply).parse(reply)))
    } catch (error) {
      const { status, message: text } = this.#refusalOf(channel, error)
      // What it quotes may come from anywhere, and a header cannot hold line ends.
      message.respondError(status, text.replaceAll(/[\r\n]+/g, ' '), Empty)
    }
  }

  /** Throws a `Refusal` that says all that is wrong with it. */
  #bodyOf<Q>(channel: RequestChannel<Q, unknown>, payload: Uint8Array): Q {
    const body = channel.request.safeParse(payload.length === 0 ? {} : parseJson(payload))
    if (body.success) return body.data
    this.#observer.dropped(channel.address, 'malformed')
    const where = body.error.issues.map((issue) => `${issue.path.join('.') || 'request'}: ${issue.message}`).join('; ')
    throw new Refusal(400, where.slice(0, 1000))
  }

  #refusalOf(channel: RequestChannel<unknown, unknown>, error: unknown): Refusal {
    if (error instanceof Refusal) return error
    this.#observer.dropped(channel.address, 'handler')
    this.#log.warn({ problem: String(error), channel: channel.address }, 'request handler failed')
    return new Refusal(500, 'the request could not be carried out; the log of the service says why')
  }
}
