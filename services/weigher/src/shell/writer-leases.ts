import type { Bus, Subscription, Table } from '@siplb/bus'
import { leasesTable, type Lease } from '@siplb/contracts'
import { createTicker, type Component, type Logger } from '@siplb/runtime'
import { forgottenReplicas, signHeard, signRemoved, writerOf, type Replicas } from '../domain/replicas.ts'
import { inTime } from './deadline.ts'
import { leaseKey, PoolLease } from './pool-lease.ts'

export interface WriterLeasesOptions {
  readonly bus: Bus
  readonly pools: readonly string[]
  /** Whether this replica knows enough to write a pool. */
  readonly isReady: () => boolean
  /** The highest epoch of the pool that anybody is known to have used. */
  readonly highestEpoch: (pool: string) => number
  readonly now: () => number
  readonly log: Logger
}

const LOOK_EVERY_MS = 250
const SIGN_EVERY_MS = 1000
const REPLICA_KEY = 'replica.'

/**
 * Which pools this replica writes: pools are shared among the weighers that live, and each of them says every second that it
 * does. Silence counts only while the bus is there: after an outage everybody waits anew.
 */
export class WriterLeases implements Component {
  readonly name = 'leases'
  readonly #options: WriterLeasesOptions
  readonly #table: Table<Lease>
  readonly #ticker: Component
  readonly #pools = new Map<string, PoolLease>()
  #replicas: Replicas = new Map()
  #watches: readonly Subscription[] = []
  #hasCaughtUp = false
  #signedAt = Number.NEGATIVE_INFINITY
  #beat = 0
  #problem = ''

  constructor(options: WriterLeasesOptions) {
    this.#options = options
    this.#table = options.bus.table(leasesTable, 'owner')
    this.configure(options.pools)
    const onError = (error: unknown) => options.log.error({ err: error }, 'leases not looked after')
    this.#ticker = createTicker({ name: this.name, everyMs: LOOK_EVERY_MS, run: (now) => this.#look(now), onError })
  }

  /** The epoch under which this replica may write the pool now; undefined when it may not. */
  epochOf(pool: string): number | undefined {
    return this.#pools.get(pool)?.epoch()
  }

  /** Somebody else wrote the pool's table. */
  doubt(pool: string): void {
    this.#pools.get(pool)?.doubt()
  }

  configure(pools: readonly string[]): void {
    const wanted = new Set(pools)
    const { now, log, highestEpoch } = this.#options
    for (const pool of wanted) {
      if (this.#pools.has(pool)) continue
      const options = { pool, self: this.#self, table: this.#table, highestEpoch: () => highestEpoch(pool), now, log }
      this.#pools.set(pool, new PoolLease(options))
    }
    for (const [pool, lease] of this.#pools) {
      if (wanted.has(pool)) continue
      this.#pools.delete(pool)
      void this.#guard(lease.leave())
    }
  }

  start(): Promise<void> | void {
    const connection = this.#options.bus.onConnection((isConnected) => {
      if (!isConnected) return
      for (const lease of this.#pools.values()) lease.waitAnew()
      this.#replicas = new Map()
    })
    const leases = this.#table.watch(
      (key, lease, revision) => this.#heard(key, lease, revision),
      () => (this.#hasCaughtUp = true),
    )
    this.#watches = [connection, leases]
    return this.#ticker.start?.()
  }

  /** Gives all leases up. */
  async stop(): Promise<void> {
    await this.#ticker.stop?.()
    for (const watch of this.#watches) watch.stop()
    if (!this.#options.bus.isConnected()) return
    const leaving = [...this.#pools.values()].map((lease) => lease.leave())
    await Promise.allSettled([...leaving, inTime(this.#table.remove(REPLICA_KEY + this.#self))])
  }

  get #self(): string {
    return this.#options.bus.instance
  }

  #heard(key: string, lease: Lease | undefined, revision: number): void {
    if (key.startsWith(leaseKey)) this.#pools.get(key.slice(leaseKey.length))?.heard(lease, revision)
    if (!key.startsWith(REPLICA_KEY)) return
    const instance = key.slice(REPLICA_KEY.length)
    // A revision alone could come again: a store that was lost counts anew.
    const mark = `${revision}/${lease?.beat}`
    const now = this.#options.now()
    this.#replicas =
      lease === undefined ? signRemoved(this.#replicas, instance) : signHeard(this.#replicas, instance, mark, now)
  }

  #look(now: number): void {
    const { bus, isReady } = this.#options
    if (!bus.isConnected() || !this.#hasCaughtUp) return
    if (now - this.#signedAt >= SIGN_EVERY_MS) {
      this.#signedAt = now
      void this.#guard(this.#sign(now))
    }
    for (const [pool, lease] of this.#pools) {
      const isMeant = writerOf(pool, this.#replicas, this.#self, now) === this.#self
      const work = lease.look(now, isMeant, isReady())
      if (work !== undefined) void this.#guard(work)
    }
  }

  async #sign(now: number): Promise<void> {
    this.#beat += 1
    await inTime(this.#table.put(REPLICA_KEY + this.#self, { holder: this.#self, epoch: 0, beat: this.#beat }))
    // A weigher that was killed leaves its key behind.
    for (const instance of forgottenReplicas(this.#replicas, this.#self, now)) {
      await inTime(this.#table.remove(REPLICA_KEY + instance))
      this.#replicas = signRemoved(this.#replicas, instance)
    }
  }

  async #guard(work: Promise<void>): Promise<void> {
    try {
      await work
      this.#problem = ''
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      if (problem !== this.#problem)
        this.#options.log.warn({ problem }, 'leases cannot be written; weights stay as they are')
      this.#problem = problem
    }
  }
}
