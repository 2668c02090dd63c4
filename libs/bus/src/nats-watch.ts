import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import { NatsError, type KV, type KvEntry, type NatsConnection, type QueuedIterator } from 'nats'
import type { Subscription } from './bus.ts'
import { LARGE } from './inbox.ts'
import type { KeptConnection } from './nats-connection.ts'

const REOPEN_MS = 500
const LOOK_MS = 5000

export interface WatchListener {
  readonly onEntry: (entry: KvEntry) => void
  readonly onCaughtUp: () => void
}

/**
 * Follows a bucket for ever. Begun anew on each connection, since the client's own watch is silent for up to 14 s after one; and for
 * a bucket that was deleted and made again, where the client would go on behind the last revision of the old one.
 */
export class NatsWatch implements Subscription {
  readonly #open: (nc: NatsConnection) => Promise<KV>
  readonly #listener: WatchListener
  readonly #following: Subscription
  #generation = 0
  #entries: QueuedIterator<KvEntry> | undefined

  constructor(connection: KeptConnection, open: (nc: NatsConnection) => Promise<KV>, listener: WatchListener) {
    this.#open = open
    this.#listener = listener
    this.#following = connection.onChange((nc) => this.#restart(nc))
  }

  stop(): void {
    this.#following.stop()
    this.#restart(undefined)
  }

  #restart(nc: NatsConnection | undefined): void {
    this.#generation += 1
    this.#entries?.stop()
    this.#entries = undefined
    if (nc !== undefined) void this.#follow(nc, this.#generation)
  }

  async #follow(nc: NatsConnection, generation: number): Promise<void> {
    const isWanted = () => generation === this.#generation && !nc.isClosed()
    while (isWanted()) {
      try {
        await this.#hear(await this.#open(nc), isWanted)
      } catch {
        // The bucket is not there yet, or JetStream is not: both are asked again.
      }
      await sleep(REOPEN_MS, undefined, { ref: false })
    }
  }

  async #hear(kv: KV, isWanted: () => boolean): Promise<void> {
    const { onEntry, onCaughtUp } = this.#listener
    const created = await creationOf(kv)
    let initialized = false
    let behind = -1
    const entries = await kv.watch({
      // Called out of turn when all keys were there before the watch stood: then they are still to be handed on.
      initializedFn: () => {
        initialized = true
        if (behind === 0) onCaughtUp()
      },
    })
    if (!isWanted()) return entries.stop()
    this.#entries = entries
    behind = initialized ? entries.getPending() : 0
    if (initialized && behind === 0) onCaughtUp()
    const looking = setInterval(() => void endUnlessSame(kv, created, entries), LOOK_MS).unref()
    try {
      for await (const entry of entries) {
        onEntry(entry)
        if (behind > 0 && --behind === 0) onCaughtUp()
        if (entry.value.length > LARGE) await nextTurn()
      }
    } finally {
      clearInterval(looking)
    }
  }
}

async function endUnlessSame(kv: KV, created: string, entries: QueuedIterator<KvEntry>): Promise<void> {
  try {
    if ((await creationOf(kv)) !== created) entries.stop()
  } catch (error) {
    if (error instanceof NatsError && error.api_error?.code === 404) entries.stop()
  }
}

async function creationOf(kv: KV): Promise<string> {
  return (await kv.status()).streamInfo.created
}
