import type { Bus, Subscription, Table } from '@siplb/bus'
import { leasesTable, type Lease } from '@siplb/contracts'
import { createTicker, type Component, type Logger } from '@siplb/runtime'
import { beatHeard, beatRemoved, livingProbers, silentProbers, type Beats } from '../domain/sharing.ts'

const BEAT_EVERY_MS = 1000
/** After as many beats not written the other probers take this one for dead. */
const MISSED_BEATS = 3
const KEY = 'prober.'

export interface ProberLeaseOptions {
  readonly bus: Bus
  readonly now: () => number
  readonly log: Logger
}

/** Says every second that this prober lives, and hears the others say so. */
export class ProberLease implements Component {
  readonly name = 'prober-lease'
  readonly #bus: Bus
  readonly #now: () => number
  readonly #log: Logger
  readonly #table: Table<Lease>
  readonly #ticker: Component
  #watches: readonly Subscription[] = []
  #beats: Beats = new Map()
  #beat = 0
  #missed = 0
  #writing: Promise<void> = Promise.resolve()

  constructor({ bus, now, log }: ProberLeaseOptions) {
    this.#bus = bus
    this.#now = now
    this.#log = log
    this.#table = bus.table(leasesTable, 'user')
    const run = () => (this.#writing = this.#renew())
    const onError = (error: unknown) => log.error({ err: error }, 'beat failed')
    this.#ticker = createTicker({ name: this.name, everyMs: BEAT_EVERY_MS, run, onError })
  }

  /** All living probers, this one included, sorted. */
  living(now: number): readonly string[] {
    return livingProbers(this.#beats, this.#bus.instance, now)
  }

  start(): Promise<void> | void {
    // The store tells all keys again then, and counts revisions anew if it was lost.
    const connection = this.#bus.onConnection((isConnected) => {
      if (isConnected) this.#beats = new Map()
    })
    const beats = this.#table.watch((key, lease, revision) => this.#heard(key, lease, revision))
    this.#watches = [connection, beats]
    return this.#ticker.start?.()
  }

  /** The others take over at once. */
  async stop(): Promise<void> {
    await this.#ticker.stop?.()
    for (const watch of this.#watches) watch.stop()
    await this.#writing
    if (this.#bus.isConnected()) await this.#table.remove(KEY + this.#bus.instance)
  }

  #heard(key: string, lease: Lease | undefined, revision: number): void {
    if (!key.startsWith(KEY)) return
    const prober = key.slice(KEY.length)
    const now = this.#now()
    this.#beats = lease === undefined ? beatRemoved(this.#beats, prober) : beatHeard(this.#beats, prober, revision, now)
  }

  async #renew(): Promise<void> {
    // The bus itself says in the log that it is gone.
    if (!this.#bus.isConnected()) return
    const { instance } = this.#bus
    try {
      this.#beat += 1
      await this.#table.put(KEY + instance, { holder: instance, epoch: 0, beat: this.#beat })
      await this.#sweep()
      if (this.#missed >= MISSED_BEATS) this.#log.info({}, 'prober lease is written again')
      this.#missed = 0
    } catch (error) {
      this.#missed += 1
      const problem = error instanceof Error ? error.message : String(error)
      if (this.#missed === MISSED_BEATS)
        this.#log.warn({ problem }, 'prober lease is not written: other probers take over')
    }
  }

  /** A prober that was killed leaves its key behind. */
  async #sweep(): Promise<void> {
    for (const prober of silentProbers(this.#beats, this.#bus.instance, this.#now())) {
      await this.#table.remove(KEY + prober)
      this.#beats = beatRemoved(this.#beats, prober)
    }
  }
}
