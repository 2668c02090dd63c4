import type { TableSpec } from '@siplb/contracts'
import type { KV, KvEntry, NatsConnection, QueuedIterator } from 'nats'
import type { Subscription } from './bus.ts'
import { encodeJson, parseJson } from './codec.ts'
import { BusError } from './errors.ts'
import type { KeptConnection } from './nats-connection.ts'
import type { Entry, Table } from './table.ts'

const REOPEN_MS = 500

/** A bucket in JetStream. The view of it is made anew for each connection: a wiped server has lost it. */
export class NatsTable<T> implements Table<T> {
  readonly #connection: KeptConnection
  readonly #bucket: string
  readonly #spec: TableSpec<T>
  readonly #isOwner: boolean
  readonly #onMalformed: () => void

  constructor(
    connection: KeptConnection,
    bucket: string,
    spec: TableSpec<T>,
    isOwner: boolean,
    onMalformed: () => void,
  ) {
    this.#connection = connection
    this.#bucket = bucket
    this.#spec = spec
    this.#isOwner = isOwner
    this.#onMalformed = onMalformed
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
    return orConflict(kv.create(key, encodeJson(this.#spec.value.parse(value))))
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
    let current: QueuedIterator<KvEntry> | undefined
    let generation = 0
    let isStopped = false
    const start = async (nc: NatsConnection | undefined) => {
      const mine = ++generation
      current?.stop()
      current = undefined
      while (nc !== undefined && mine === generation && !isStopped && !nc.isClosed()) {
        try {
          const kv = await this.#view(nc)
          let initialized = false
          let behind = -1
          const iterator = await kv.watch({
            // Called out of turn when all keys were there before the watch stood: then they are still to be handed on.
            initializedFn: () => {
              initialized = true
              if (behind === 0) onCaughtUp()
            },
          })
          if (mine !== generation || isStopped) return iterator.stop()
          current = iterator
          behind = initialized ? iterator.getPending() : 0
          if (initialized && behind === 0) onCaughtUp()
          for await (const entry of iterator) {
            const read = this.#read(entry)
            if (read !== undefined) handler(read.key, read.value, read.revision)
            else if (entry.operation !== 'PUT') handler(entry.key, undefined, entry.revision)
            if (behind > 0 && --behind === 0) onCaughtUp()
          }
        } catch {
          // The bucket is not there yet, or JetStream is not: both are asked again.
        }
        await new Promise((resolve) => setTimeout(resolve, REOPEN_MS).unref())
      }
    }
    const following = this.#connection.onChange((nc) => void start(nc))
    return {
      stop: () => {
        isStopped = true
        following.stop()
        current?.stop()
      },
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
    const parsed = this.#spec.value.safeParse(parseJson(entry.value))
    if (parsed.success) return { key: entry.key, value: parsed.data, revision: entry.revision }
    this.#onMalformed()
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
