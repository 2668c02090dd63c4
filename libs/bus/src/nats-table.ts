import type { TableSpec } from '@siplb/contracts'
import { ErrorCode, NatsError, type KV, type KvEntry, type NatsConnection } from 'nats'
import type { Subscription } from './bus.ts'
import { encodeJson, parseJson } from './codec.ts'
import { BusError } from './errors.ts'
import type { KeptConnection } from './nats-connection.ts'
import { NatsWatch } from './nats-watch.ts'
import type { Entry, Table } from './table.ts'

/** `cause`: what a handler threw. */
export type OnDropped = (problem: 'malformed' | 'handler', cause?: string) => void

/**
 * A bucket in JetStream. To read, a view of it is made anew each time: a wiped server has lost it. For that the server is asked twice or
 * thrice, so what is written each second goes by the view that served for the last time.
 */
export class NatsTable<T> implements Table<T> {
  readonly #connection: KeptConnection
  readonly #bucket: string
  readonly #spec: TableSpec<T>
  readonly #isOwner: boolean
  readonly #onDropped: OnDropped
  #kept: { readonly nc: NatsConnection; readonly kv: KV } | undefined

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
    const bytes = encodeJson(this.#spec.value.parse(value))
    return this.#write((kv) => kv.put(key, bytes))
  }

  async create(key: string, value: T): Promise<number | 'conflict'> {
    const bytes = encodeJson(this.#spec.value.parse(value))
    return this.#write(async (kv) => {
      const created = await orConflict(kv.create(key, bytes))
      if (created !== 'conflict') return created
      // A value that nobody can read is no value, and would else stand in the way for ever.
      const entry = await kv.get(key)
      if (entry === null || entry.operation !== 'PUT' || this.#read(entry) !== undefined) return created
      return orConflict(kv.update(key, bytes, entry.revision))
    })
  }

  async update(key: string, value: T, revision: number): Promise<number | 'conflict'> {
    const bytes = encodeJson(this.#spec.value.parse(value))
    return this.#write((kv) => orConflict(kv.update(key, bytes, revision)))
  }

  async remove(key: string): Promise<void> {
    await this.#write((kv) => kv.purge(key))
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

  /** By the view that is kept; once more by a new one where nobody took the write, for then it was not made. */
  async #write<R>(work: (kv: KV) => Promise<R>): Promise<R> {
    const nc = this.#connected()
    const kept = this.#kept
    if (kept?.nc === nc) {
      try {
        return await work(kept.kv)
      } catch (error) {
        this.#kept = undefined
        if (!isUntaken(error)) throw error
      }
    }
    const kv = await this.#view(nc)
    const written = await work(kv)
    this.#kept = { nc, kv }
    return written
  }

  async #open(): Promise<KV> {
    return this.#view(this.#connected())
  }

  #connected(): NatsConnection {
    const nc = this.#connection.current
    if (nc === undefined)
      throw new BusError('disconnected', `the bus is not connected, so table ${this.#bucket} cannot be used`)
    return nc
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

/** Nobody listens to the subjects of its stream. */
function isUntaken(error: unknown): boolean {
  return error instanceof NatsError && error.code === ErrorCode.NoResponders
}
