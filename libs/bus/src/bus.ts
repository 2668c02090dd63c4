import type { EventChannel, Params, RequestChannel, TableSpec } from '@siplb/contracts'
import type { Table } from './table.ts'

/** One event as it was heard. */
export interface Received<T> {
  readonly data: T
  readonly params: Params
  /** CloudEvents `source` and `id`: who says it, and unique for them. */
  readonly source: string
  readonly id: string
}

/** An event of the past, as a stream has kept it. */
export interface Past<T> extends Received<T> {
  /** When the stream took it, in wall-clock milliseconds of the server. */
  readonly at: number
  /** Its place in the stream, shared by the events of one batch. */
  readonly seq: number
}

/** From when on, in wall-clock milliseconds, and up to when; left out: to what is there now. */
export interface Span {
  readonly since: number
  readonly until?: number
}

export interface Subscription {
  stop(): void
}

/** The data of one event, member by member. Names stand as they are, so they need no escape; texts get theirs. */
export interface DataWriter {
  text(name: string, value: string): void
  /** A text of one character for each octet. */
  latin1(name: string, octets: Buffer, start: number, end: number): void
  number(name: string, value: number): void
  /** What is JSON already, in pieces. */
  json(name: string, pieces: readonly Uint8Array[]): void
}

/** Events of one channel that are written as they happen, and wait to be sent together. */
export interface EventBatch {
  readonly size: number
  /** What is not ended is left out. */
  begin(): DataWriter
  end(): void
  /** False: not connected, and so dropped. */
  send(): boolean
  /** Whether anybody heard it when it was last asked; true while that is not known. */
  readonly isHeard: boolean
  /** Sends, and tells whether anybody hears it; true where that cannot be known. A server that is frozen shows after some seconds. */
  ask(): Promise<boolean>
}

export interface StreamSpec {
  readonly name: string
  readonly addresses: readonly string[]
  readonly maxAgeMs: number
  readonly maxBytes: number
}

export type Handler<Q, A> = (body: Q, params: Params) => A | undefined | Promise<A | undefined>

/**
 * The message bus, typed by the contract.
 *
 * B1. Nothing here blocks the caller on a bus that is gone: publishing drops and counts, a request fails at once.
 * B2. What arrives is checked before a handler sees it; what does not fit is dropped and counted.
 * B3. Subscriptions and watches outlive every reconnect; a handler that throws is counted, never fatal.
 */
export interface Bus {
  readonly prefix: string
  readonly service: string
  readonly instance: string
  isConnected(): boolean
  /** Called with the connection's state now, and on every change of it. */
  onConnection(listener: (isConnected: boolean) => void): Subscription
  /** Many data make batches. False: not connected, and so dropped. `id` lets a stream store it only once. */
  publish<T>(channel: EventChannel<T>, params: Params, data: T | readonly T[], id?: string): boolean
  /** For who has too many events to make an object of each. Who asks for the audience finds out who hears them, by `isHeard` and `ask`. */
  batch<T>(channel: EventChannel<T>, params: Params, asks?: 'audience'): EventBatch
  /** Who reads at a `gentle` pace takes large messages one in each turn of the event loop, however many come; calls go on meanwhile. */
  subscribe<T>(
    channel: EventChannel<T>,
    params: Params,
    handler: (event: Received<T>) => void,
    pace?: 'gentle',
  ): Subscription
  /** Throws a `BusError` with code `disconnected`, `no-responders`, `timeout`, `refused` or `malformed`. */
  request<Q, A>(channel: RequestChannel<Q, A>, params: Params, body: Q, timeoutMs: number): Promise<A>
  /**
   * Answers requests as an endpoint of this service. Throw a `Refusal` to answer with an error; return undefined to stay silent, where
   * many hear a question and one has the answer.
   */
  serve<Q, A>(channel: RequestChannel<Q, A>, params: Params, handler: Handler<Q, A>): void
  /** `owner` creates the bucket where it is missing; others wait until it is there. */
  table<T>(spec: TableSpec<T>, role: 'owner' | 'user'): Table<T>
  ensureStream(spec: StreamSpec): Promise<void>
  /**
   * The stored events of a channel, oldest first; ends when it has caught up. Throws a `BusError` with code `no-stream` where nobody
   * has made the stream, `disconnected` when the bus goes.
   */
  history<T>(channel: EventChannel<T>, params: Params, span: Span): AsyncIterable<Past<T>>
  close(): Promise<void>
}

/** What happens on the bus, for counters. `channel` is the address, so the number of series stays small. */
export interface BusObserver {
  published(channel: string): void
  unpublished(channel: string): void
  received(channel: string): void
  dropped(channel: string, problem: 'malformed' | 'handler'): void
}
