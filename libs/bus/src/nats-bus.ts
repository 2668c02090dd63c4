import {
  batchContentType,
  bucketName,
  eventContentType,
  paramsOf,
  streamName,
  subjectOf,
  type EventChannel,
  type NatsConfig,
  type Params,
  type RequestChannel,
  type TableSpec,
} from '@siplb/contracts'
import {
  headers,
  NatsError,
  nanos,
  RetentionPolicy,
  ServiceError,
  StorageType,
  DiscardPolicy,
  type Msg,
  type MsgHdrs,
  type NatsConnection,
  type Service,
  type Subscription as NatsSubscription,
} from 'nats'
import { Audience, type PublishBatches } from './audience.ts'
import type { Bus, BusObserver, EventBatch, Handler, Past, Received, Span, StreamSpec, Subscription } from './bus.ts'
import { Batches } from './batches.ts'
import { decodeEvents, encodeEvent, encodeJson, parseJson } from './codec.ts'
import { BusError, requestError } from './errors.ts'
import { newEventId } from './event-id.ts'
import { Inbox } from './inbox.ts'
import { Answers } from './nats-answers.ts'
import { atMost, KeptConnection, type ConnectionLog } from './nats-connection.ts'
import { NatsHistory } from './nats-history.ts'
import { addEndpoint, startService, type Endpoint } from './nats-service.ts'
import { NatsTable } from './nats-table.ts'
import type { Table } from './table.ts'
import { WrittenEvents, type WrittenEventsOptions } from './written-events.ts'

export interface NatsBusOptions {
  readonly config: NatsConfig
  /** Such as `location`; its name on the bus is then `siplb-location`. */
  readonly service: string
  readonly instance: string
  readonly version: string
  readonly log: ConnectionLog
  readonly observer: BusObserver
  /** False for who only asks and listens, such as the command line: it is no service that others should find. Default true. */
  readonly isService?: boolean
}

/** How long the requests under way may take once the bus is closed. */
const ANSWER_MS = 2000

/** A bus over NATS. Returns at once; what was subscribed and served takes effect whenever the connection is there. */
export function createNatsBus(options: NatsBusOptions): Bus {
  return new NatsBus(options)
}

class NatsBus implements Bus {
  readonly prefix: string
  readonly service: string
  readonly instance: string
  readonly #version: string
  /** CloudEvents `source`. */
  readonly #source: string
  readonly #log: ConnectionLog
  readonly #observer: BusObserver
  readonly #isService: boolean
  readonly #connection: KeptConnection
  readonly #subscriptions = new Set<(nc: NatsConnection) => void>()
  readonly #endpoints: Endpoint[] = []
  readonly #answers: Answers
  /** Of what is published at once. */
  readonly #batches = new Batches()
  #registered: Promise<Service> | undefined
  #setUpFor: NatsConnection | undefined

  constructor({ config, service, instance, version, log, observer, isService = true }: NatsBusOptions) {
    this.prefix = config.prefix
    this.service = service
    this.instance = instance
    this.#version = version
    this.#source = `/siplb/${service}/${instance}`
    this.#log = log
    this.#observer = observer
    this.#answers = new Answers(config.prefix, observer, log)
    this.#isService = isService
    this.#connection = new KeptConnection(config, `siplb-${service}-${instance}`, log)
    this.#connection.onChange((nc) => {
      if (nc !== undefined) this.#setUp(nc)
    })
  }

  isConnected(): boolean {
    return this.#connection.current !== undefined
  }

  onConnection(listener: (isConnected: boolean) => void): Subscription {
    return this.#connection.onChange((nc) => listener(nc !== undefined))
  }

  publish<T>(channel: EventChannel<T>, params: Params, data: T | readonly T[], id?: string): boolean {
    const nc = this.#connection.current
    // The client would take it, and lose it without a word.
    if (nc === undefined) {
      this.#observer.unpublished(channel.address)
      return false
    }
    if (isMany(data)) {
      const events = new WrittenEvents(channel, this.#writing(channel, params), this.#batches)
      for (const one of data) events.add(one)
      return events.send()
    }
    const h = contentType(eventContentType)
    if (id !== undefined) h.set('Nats-Msg-Id', id)
    const event = encodeEvent(channel, data, {
      source: this.#source,
      id: id ?? newEventId(),
      time: new Date().toISOString(),
    })
    nc.publish(subjectOf(this.prefix, channel.address, params), event, { headers: h })
    this.#observer.published(channel.address)
    return true
  }

  batch<T>(channel: EventChannel<T>, params: Params, asks?: 'audience'): EventBatch {
    const writing = this.#writing(channel, params)
    if (asks === undefined) return new WrittenEvents(channel, writing)
    const audience = new Audience(this.#connection, this.#sending(channel, params))
    return new WrittenEvents(channel, { ...writing, send: (batches) => audience.send(batches), audience })
  }

  subscribe<T>(
    channel: EventChannel<T>,
    params: Params,
    handler: (event: Received<T>) => void,
    pace?: 'gentle',
  ): Subscription {
    const inbox = new Inbox((message: Msg) => this.#deliver(channel, message, handler), pace)
    const subject = subjectOf(this.prefix, channel.address, params)
    let current: NatsSubscription | undefined
    const start = (nc: NatsConnection) => {
      current = nc.subscribe(subject, {
        callback: (error, message) => {
          if (error === null) inbox.take(message)
        },
      })
    }
    this.#subscriptions.add(start)
    if (this.#setUpFor !== undefined && !this.#setUpFor.isClosed()) start(this.#setUpFor)
    return {
      stop: () => {
        this.#subscriptions.delete(start)
        current?.unsubscribe()
      },
    }
  }

  async request<Q, A>(channel: RequestChannel<Q, A>, params: Params, body: Q, timeoutMs: number): Promise<A> {
    const nc = this.#connection.current
    // The client would wait for the whole timeout.
    if (nc === undefined) throw new BusError('disconnected', 'the bus is not connected')
    const subject = subjectOf(this.prefix, channel.address, params)
    const message = await nc
      .request(subject, encodeJson(channel.request.parse(body)), { timeout: timeoutMs })
      .catch((error: unknown) => {
        throw requestError(error, subject, timeoutMs)
      })
    const refused = ServiceError.toServiceError(message)
    if (refused !== null) throw new BusError('refused', refused.message, { status: refused.code })
    const reply = (channel.quickReply ?? channel.reply).safeParse(parseJson(message.data))
    if (reply.success) return reply.data
    this.#observer.dropped(channel.address, 'malformed')
    throw new BusError('malformed', `the answer on ${subject} does not fit the contract`, { cause: reply.error })
  }

  serve<Q, A>(channel: RequestChannel<Q, A>, params: Params, handler: Handler<Q, A>): void {
    const endpoint: Endpoint = {
      name: channel.address.replaceAll(/[^a-z]+/g, '-').replace(/-$/, ''),
      subject: subjectOf(this.prefix, channel.address, params),
      // Every endpoint of the services protocol has a queue: where all are to hear, each has its own.
      queue: channel.queueGroup ?? this.instance,
      handler: (error, message) => {
        if (error === null) this.#answers.answer(channel, message, handler)
      },
    }
    this.#endpoints.push(endpoint)
    if (this.#registered !== undefined) {
      this.#registered.then((service) => addEndpoint(service, endpoint)).catch(this.#onUnregistered)
    } else if (this.#setUpFor !== undefined) this.#register(this.#setUpFor)
  }

  table<T>(spec: TableSpec<T>, role: 'owner' | 'user'): Table<T> {
    const bucket = bucketName(this.prefix, spec)
    return new NatsTable(this.#connection, bucket, spec, role === 'owner', (problem, cause) => {
      this.#observer.dropped(bucket, problem)
      if (cause !== undefined) this.#log.warn({ problem: cause, table: bucket }, 'table handler failed')
    })
  }

  async ensureStream(spec: StreamSpec): Promise<void> {
    const nc = this.#connection.current
    if (nc === undefined) throw new BusError('disconnected', 'the bus is not connected')
    const jsm = await nc.jetstreamManager()
    const name = streamName(this.prefix, spec)
    const limits = {
      subjects: spec.addresses.map((address) => `${this.prefix}.${address}`),
      max_age: nanos(spec.maxAgeMs),
      max_bytes: spec.maxBytes,
      discard: DiscardPolicy.Old,
    }
    try {
      await jsm.streams.info(name)
      await jsm.streams.update(name, limits)
    } catch (error) {
      if (!(error instanceof NatsError) || error.api_error?.code !== 404) throw error
      await jsm.streams.add({ name, ...limits, retention: RetentionPolicy.Limits, storage: StorageType.File })
    }
  }

  history<T>(channel: EventChannel<T>, params: Params, span: Span): AsyncIterable<Past<T>> {
    return new NatsHistory(this.#connection, this.prefix, this.#observer).read(channel, params, span)
  }

  async close(): Promise<void> {
    // What was heard is answered before the connection drains: its handlers may still have to ask and to write.
    if (this.isConnected()) await atMost(ANSWER_MS, this.#answerAll())
    await this.#connection.close()
  }

  async #answerAll(): Promise<void> {
    const service = await this.#registered?.catch(() => undefined)
    await service?.stop()
    await this.#answers.allGiven()
  }

  /** A connection that was closed for good is replaced by another, which knows nothing of us yet. */
  #setUp(nc: NatsConnection): void {
    if (this.#setUpFor === nc) return
    this.#setUpFor = nc
    this.#registered = undefined
    for (const start of this.#subscriptions) start(nc)
    if (this.#isService || this.#endpoints.length > 0) this.#register(nc)
  }

  #register(nc: NatsConnection): void {
    const identity = { name: `siplb-${this.service}`, instance: this.instance, version: this.#version }
    this.#registered = startService(nc, identity, [...this.#endpoints], this.#log)
    this.#registered.catch(this.#onUnregistered)
  }

  readonly #onUnregistered = (error: unknown): void => {
    this.#log.warn({ problem: error instanceof Error ? error.message : String(error) }, 'service not registered')
  }

  #deliver<T>(channel: EventChannel<T>, message: Msg, handler: (event: Received<T>) => void): void {
    this.#observer.received(channel.address)
    const { events, malformed } = decodeEvents(channel, message.data)
    for (let i = 0; i < malformed; i++) this.#observer.dropped(channel.address, 'malformed')
    const params = paramsOf(this.prefix, channel.address, message.subject)
    for (const event of events) {
      try {
        handler({ ...event, params })
      } catch (error) {
        this.#observer.dropped(channel.address, 'handler')
        this.#log.warn({ problem: String(error), channel: channel.address }, 'event handler failed')
      }
    }
  }

  #writing(channel: EventChannel<unknown>, params: Params): WrittenEventsOptions {
    const send = this.#sending(channel, params)
    return { source: this.#source, nextId: newEventId, send: (batches) => send(batches, () => undefined) }
  }

  #sending({ address }: EventChannel<unknown>, params: Params): PublishBatches {
    const subject = subjectOf(this.prefix, address, params)
    return (batches, replyTo) => {
      const nc = this.#connection.current
      if (nc === undefined) {
        this.#observer.unpublished(address)
        return false
      }
      for (const batch of batches) {
        const reply = replyTo()
        nc.publish(subject, batch, reply === undefined ? { headers: ofBatches } : { headers: ofBatches, reply })
        this.#observer.published(address)
      }
      return true
    }
  }
}

function isMany<T>(data: T | readonly T[]): data is readonly T[] {
  return Array.isArray(data)
}

function contentType(value: string): MsgHdrs {
  const h = headers()
  h.set('content-type', value)
  return h
}

const ofBatches = contentType(batchContentType)
