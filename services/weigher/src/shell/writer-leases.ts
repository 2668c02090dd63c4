import type { Bus, Subscription, Table } from '@siplb/bus'
import { leasesTable, type Lease } from '@siplb/contracts'
import { createTicker, type Component, type Logger } from '@siplb/runtime'
import { EXPIRY_MS, mayClaim, type LeaseView } from '../domain/lease-rule.ts'
import { forgottenReplicas, signHeard, signRemoved, writerOf, type Replicas } from '../domain/replicas.ts'
import { inTime } from './deadline.ts'

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

interface PoolLease {
  view: LeaseView
  revision: number | undefined
  held: Held | undefined
  isBusy: boolean
}

interface Held {
  readonly epoch: number
  readonly beat: number
  readonly since: number
  readonly renewedAt: number
}

const LOOK_EVERY_MS = 250
const RENEW_EVERY_MS = 1000
/** A pool is not handed on sooner, lest two replicas that see each other differently throw it to and fro. */
const LEAST_HELD_MS = 5000
const POOL_KEY = 'weigher.'
const REPLICA_KEY = 'replica.'

/**
 * Which pools this replica writes.
 *
 * W1. A lease is taken, renewed and given up by compare-and-set; whoever loses one knows that it is not the holder.
 * W2. Each taking raises the epoch over every one that was ever heard of, so no two tables share `(epoch, seq)`.
 * W3. A holder that could not renew for 3 s stops writing, since another may have begun. Silence counts only while the bus is
 *     there: after an outage everybody waits anew.
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
    const held = this.#pools.get(pool)?.held
    return held !== undefined && this.#options.now() - held.renewedAt < EXPIRY_MS ? held.epoch : undefined
  }

  held(): string[] {
    return [...this.#pools.keys()].filter((pool) => this.epochOf(pool) !== undefined)
  }

  configure(pools: readonly string[]): void {
    const wanted = new Set(pools)
    const seenAt = this.#options.now()
    for (const pool of wanted) {
      if (!this.#pools.has(pool)) {
        this.#pools.set(pool, {
          view: { lease: undefined, seenAt },
          revision: undefined,
          held: undefined,
          isBusy: false,
        })
      }
    }
    for (const [pool, lease] of this.#pools) {
      if (wanted.has(pool)) continue
      this.#pools.delete(pool)
      void this.#release(pool, lease).catch(() => {}) // it expires by itself
    }
  }

  start(): Promise<void> | void {
    const connection = this.#options.bus.onConnection((isConnected) => {
      if (isConnected) this.#waitAnew()
    })
    const leases = this.#table.watch(
      (key, lease, revision) => this.#heard(key, lease, revision),
      () => (this.#hasCaughtUp = true),
    )
    this.#watches = [connection, leases]
    return this.#ticker.start?.()
  }

  /** Gives all leases up, so that another replica goes on at once. */
  async stop(): Promise<void> {
    await this.#ticker.stop?.()
    for (const watch of this.#watches) watch.stop()
    if (!this.#options.bus.isConnected()) return
    const releases = [...this.#pools].map(([pool, lease]) => this.#release(pool, lease))
    await Promise.allSettled([...releases, inTime(this.#table.remove(REPLICA_KEY + this.#self))])
  }

  /** Somebody else wrote the pool's table: what we hold is to be looked at again. */
  doubt(pool: string): void {
    const lease = this.#pools.get(pool)
    if (lease?.held !== undefined) lease.held = { ...lease.held, renewedAt: Number.NEGATIVE_INFINITY }
  }

  get #self(): string {
    return this.#options.bus.instance
  }

  #waitAnew(): void {
    const seenAt = this.#options.now()
    for (const lease of this.#pools.values()) lease.view = { ...lease.view, seenAt }
    this.#replicas = new Map()
  }

  #heard(key: string, lease: Lease | undefined, revision: number): void {
    const now = this.#options.now()
    if (key.startsWith(REPLICA_KEY)) {
      const instance = key.slice(REPLICA_KEY.length)
      const mark = `${revision}/${lease?.beat}`
      this.#replicas =
        lease === undefined ? signRemoved(this.#replicas, instance) : signHeard(this.#replicas, instance, mark, now)
      return
    }
    const known = this.#pools.get(key.slice(POOL_KEY.length))
    if (!key.startsWith(POOL_KEY) || known === undefined) return
    // Our own word comes back, perhaps after a newer one.
    if (known.held !== undefined && lease?.holder === this.#self && lease.epoch === known.held.epoch) return
    if (known.revision !== revision) known.view = { lease, seenAt: now }
    known.revision = lease === undefined ? undefined : revision
  }

  #look(now: number): void {
    if (!this.#options.bus.isConnected() || !this.#hasCaughtUp) return
    if (now - this.#signedAt >= RENEW_EVERY_MS) {
      this.#signedAt = now
      void this.#guard(this.#sign(now))
    }
    for (const [pool, lease] of this.#pools) {
      if (lease.isBusy) continue
      const work = this.#workFor(pool, lease, now)
      if (work === undefined) continue
      lease.isBusy = true
      void this.#guard(work()).finally(() => (lease.isBusy = false))
    }
  }

  #workFor(pool: string, lease: PoolLease, now: number): (() => Promise<void>) | undefined {
    const isMeant = writerOf(pool, this.#replicas, this.#self, now) === this.#self
    const { held } = lease
    if (held !== undefined) {
      if (!isMeant && now - held.since >= LEAST_HELD_MS) return () => this.#release(pool, lease)
      return now - held.renewedAt >= RENEW_EVERY_MS ? () => this.#renew(pool, lease, now) : undefined
    }
    return this.#options.isReady() && mayClaim(lease.view, isMeant, now)
      ? () => this.#claim(pool, lease, now)
      : undefined
  }

  async #sign(now: number): Promise<void> {
    this.#beat += 1
    await inTime(this.#table.put(REPLICA_KEY + this.#self, { holder: this.#self, epoch: 0, beat: this.#beat }))
    for (const instance of forgottenReplicas(this.#replicas, this.#self, now)) {
      await inTime(this.#table.remove(REPLICA_KEY + instance))
      this.#replicas = signRemoved(this.#replicas, instance)
    }
  }

  async #claim(pool: string, lease: PoolLease, now: number): Promise<void> {
    const epoch = 1 + Math.max(lease.view.lease?.epoch ?? 0, this.#options.highestEpoch(pool))
    if (!(await this.#write(pool, lease, { holder: this.#self, epoch, beat: 0 }))) return
    lease.held = { epoch, beat: 0, since: now, renewedAt: now }
    this.#options.log.info({ poolId: pool, epoch }, 'writing the weights of a pool')
  }

  async #renew(pool: string, lease: PoolLease, now: number): Promise<void> {
    const { held } = lease
    if (held === undefined) return
    const beat = held.beat + 1
    if (await this.#write(pool, lease, { holder: this.#self, epoch: held.epoch, beat })) {
      lease.held = { ...held, beat, renewedAt: now }
      return
    }
    const { lease: found } = lease.view
    // A renewal whose answer was lost is ours all the same.
    if (found?.holder === this.#self && found.epoch === held.epoch && found.released !== true) return
    lease.held = undefined
    this.#options.log.warn(
      { poolId: pool, holder: found?.holder },
      'another weigher writes the pool, or the store was lost',
    )
  }

  async #release(pool: string, lease: PoolLease): Promise<void> {
    const { held } = lease
    if (held === undefined) return
    lease.held = undefined
    await this.#write(pool, lease, { holder: this.#self, epoch: held.epoch, beat: held.beat + 1, released: true })
    this.#options.log.info({ poolId: pool }, 'pool given to another weigher')
  }

  /** By compare-and-set; when that is lost, what is there now is known afterwards. */
  async #write(pool: string, lease: PoolLease, value: Lease): Promise<boolean> {
    const key = POOL_KEY + pool
    const { revision } = lease
    const write = revision === undefined ? this.#table.create(key, value) : this.#table.update(key, value, revision)
    const written = await inTime(write)
    const now = this.#options.now()
    if (written !== 'conflict') {
      lease.revision = written
      lease.view = { lease: value, seenAt: now }
      return true
    }
    const found = await inTime(this.#table.get(key))
    lease.revision = found?.revision
    lease.view = { lease: found?.value, seenAt: now }
    return false
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
