import type { TableSpec } from '@siplb/contracts'
import type { KV, KvEntry, NatsConnection } from 'nats'
import type { Subscription } from './bus.ts'
import { encodeJson, parseJson } from './codec.ts'
import { BusError } from './errors.ts'
import type { KeptConnection } from './nats-connection.ts'
import { NatsWatch } from './nats-watch.ts'
import type { Entry, Table } from './table.ts'

/** `cause`: what a handler threw. */
export type OnDropped = (problem: 'malformed' | 'handler', cause?: string) => void

/** A bucket in JetStream. The view of it is made anew each time: a wiped server has lost it. */
export class NatsTable<T> implements Table<T> {
  readonly #connection: KeptConnection
  readonly #bucket: string
  readonly #spec: TableSpec<T>
  readonly #isOwner: boolean
  readonly #onDropped: OnDropped

  constructor(connection: KeptConnection, bucket: string, spec: TableSpec<T>, isOwner: boolean, onDropped: OnDropped) {
    this.#connection = connection
    this.#bucket = bucket
    this.#spec = spec
    this.#isOwner = isOwner
    this.#onDropped = onDropped
  }

  async get(key: string): Promise<Entry<T> | undefined> {
    const entry = await (await this.#open()).get(key)
    return entry === null ? undefined : this.#read(entry)
  }

  async put(key: string, value: T): Promise<number> {
    return (await this.#open()).put(key, encodeJson(this.#spec.value.parse(value)))
  }

  async create(key: string, value: T): Promise<number | 'conflict'> {
    const kv = await this.#open()
    const bytes = encodeJson(this.#spec.value.parse(value))
    const created = await orConflict(kv.create(key, bytes))
    if (created !== 'conflict') return created
    // A value that nobody can read is no value, and would else stand in the way for ever.
    const entry = await kv.get(key)
    if (entry === null || entry.operation !== 'PUT' || this.#read(entry) !== undefined) return created
    return orConflict(kv.update(key, bytes, entry.revision))
  }

  async update(key: string, value: T, revision: number): Promise<number | 'conflict'> {
    const kv = await this.#open()
    return orConflict(kv.update(key, encodeJson(this.#spec.value.parse(value)), revision))
  }

  async remove(key: string): Promise<void> {
    await (await this.#open()).purge(key)
  }

  async entries(): Promise<Entry<T>[]> {
    const kv = await this.#open()
    const keys: string[] = []
    for await (const key of await kv.keys()) keys.push(key)
    const found = await Promise.all(keys.map(async (key) => kv.get(key)))
    return found.flatMap((entry) => (entry === null ? [] : (this.#read(entry) ?? [])))
  }

  watch(handler: (key: string, value: T | undefined, revision: number) => void, onCaughtUp = () => {}): Subscription {
    return new NatsWatch(this.#connection, (nc) => this.#view(nc), {
      onEntry: (entry) => {
        const read = this.#read(entry)
        if (read !== undefined) this.#tell(() => handler(read.key, read.value, read.revision))
        else if (entry.operation !== 'PUT') this.#tell(() => handler(entry.key, undefined, entry.revision))
      },
      onCaughtUp: () => this.#tell(onCaughtUp),
    })
  }

  #tell(listener: () => void): void {
    try {
      listener()
    } catch (error) {
      this.#onDropped('handler', String(error))
    }
  }

  async #open(): Promise<KV> {
    const nc = this.#connection.current
    if (nc === undefined)
      throw new BusError('disconnected', `the bus is not connected, so table ${this.#bucket} cannot be used`)
    return this.#view(nc)
  }

  async #view(nc: NatsConnection): Promise<KV> {
    return nc.jetstream().views.kv(this.#bucket, this.#isOwner ? { history: 1 } : { bindOnly: true })
  }

  #read(entry: KvEntry): Entry<T> | undefined {
    if (entry.operation !== 'PUT') return undefined
    const value = this.#spec.valueAt?.(entry.key) ?? this.#spec.value
    const parsed = value.safeParse(parseJson(entry.value))
    if (parsed.success) return { key: entry.key, value: parsed.data, revision: entry.revision }
    this.#onDropped('malformed')
    return undefined
  }
}

async function orConflict(write: Promise<number>): Promise<number | 'conflict'> {
  try {
    return await write
  } catch (error) {
    if (isConflict(error)) return 'conflict'
    throw error
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof Error && /wrong last sequence/i.test(error.message)
}
