import { paramsOf, streamName, streams, subjectOf, type EventChannel, type Params } from '@siplb/contracts'
import { AckPolicy, DeliverPolicy, nanos, NatsError, type Consumer, type JsMsg, type NatsConnection } from 'nats'
import type { BusObserver, Past, Span } from './bus.ts'
import { decodeEvents } from './codec.ts'
import { BusError } from './errors.ts'
import type { KeptConnection } from './nats-connection.ts'

/** So many messages are on their way at a time: one of traffic may have a megabyte. */
const MOST_AT_ONCE = 64
/** The least that the client takes. */
const BATCH_MS = 2000
/** The server forgets a reader that is gone. */
const FORGOTTEN_MS = 30_000

/**
 * Reads a stream from an instant up to what is in it now, oldest first. With a consumer that nobody acknowledges and that has one
 * filter, as nats-server 2.9 has them. Ends with a `BusError` when the bus goes: what came before it is then no whole history.
 */
export class NatsHistory {
  readonly #connection: KeptConnection
  readonly #prefix: string
  readonly #observer: BusObserver

  constructor(connection: KeptConnection, prefix: string, observer: BusObserver) {
    this.#connection = connection
    this.#prefix = prefix
    this.#observer = observer
  }

  async *read<T>(
    channel: EventChannel<T>,
    params: Params,
    { since, until = Infinity }: Span,
  ): AsyncGenerator<Past<T>, void, undefined> {
    const nc = this.#connection.current
    if (nc === undefined) throw new BusError('disconnected', 'the bus is not connected')
    const stream = streamName(this.#prefix, streamOf(channel))
    const { consumer, count } = await open(nc, stream, subjectOf(this.#prefix, channel.address, params), since)
    try {
      for await (const message of this.#messages(consumer, count)) {
        const at = message.info.timestampNanos / 1e6
        if (at > until) return
        yield* this.#eventsOf(channel, message, at)
      }
    } finally {
      // A bus that is gone would be waited for.
      if (this.#connection.current === nc) await consumer.delete().catch(() => false)
    }
  }

  /** Those that were there at the beginning, less what aged away meanwhile. */
  async *#messages(consumer: Consumer, count: number): AsyncGenerator<JsMsg, void, undefined> {
    for (let left = count; left > 0;) {
      const batch = await consumer.fetch({ max_messages: Math.min(MOST_AT_ONCE, left), expires: BATCH_MS })
      const following = this.#connection.onChange((nc) => nc === undefined && void batch.close())
      let got = 0
      try {
        for await (const message of batch) {
          got += 1
          yield message
          if (message.info.pending === 0) return
        }
      } finally {
        following.stop()
        batch.stop()
      }
      if (this.#connection.current === undefined)
        throw new BusError('disconnected', 'the bus went while its history was read')
      if (got === 0) return
      left -= got
    }
  }

  *#eventsOf<T>(channel: EventChannel<T>, { data, subject, seq }: JsMsg, at: number): Generator<Past<T>> {
    this.#observer.received(channel.address)
    const { events, malformed } = decodeEvents(channel, data)
    for (let i = 0; i < malformed; i++) this.#observer.dropped(channel.address, 'malformed')
    const params = paramsOf(this.#prefix, channel.address, subject)
    for (const event of events) yield { ...event, params, at, seq }
  }
}

async function open(
  nc: NatsConnection,
  stream: string,
  subject: string,
  since: number,
): Promise<{ consumer: Consumer; count: number }> {
  const jsm = await nc.jetstreamManager()
  try {
    const { name, num_pending } = await jsm.consumers.add(stream, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartTime,
      opt_start_time: new Date(since).toISOString(),
      filter_subject: subject,
      inactive_threshold: nanos(FORGOTTEN_MS),
      mem_storage: true,
    })
    return { consumer: await nc.jetstream().consumers.get(stream, name), count: num_pending }
  } catch (error) {
    if (!(error instanceof NatsError) || error.api_error?.code !== 404) throw error
    throw new BusError('no-stream', `there is no stream ${stream} on this bus`, { cause: error })
  }
}

/** Where the events of a channel are kept. */
function streamOf({ address }: EventChannel<unknown>): { readonly name: string } {
  const kept = Object.values(streams).find(({ addresses }) =>
    addresses.some((one) => address.startsWith(one.slice(0, -1))),
  )
  if (kept === undefined) throw new TypeError(`no stream keeps ${address}`)
  return kept
}
