import type { Bus, Subscription, Table } from '@siplb/bus'
import { leasesTable, type Lease } from '@siplb/contracts'
import { createTicker, type Component, type Logger } from '@siplb/runtime'
import { EXPIRY_MS, isAbandoned } from '../domain/lease-rule.ts'
import { inTime, STORE_MS } from './deadline.ts'
import { leaseKey } from './pool-lease.ts'
import type { ProxyList } from './proxy-list.ts'
import type { TableWriter } from './table-writer.ts'

export interface UndeclaredPoolsOptions {
  readonly bus: Bus
  readonly pools: readonly string[]
  readonly list: ProxyList
  readonly tables: TableWriter
  readonly now: () => number
  readonly log: Logger
}

interface Heard {
  readonly lease: Lease | undefined
  readonly revision: number
  readonly at: number
}

const LOOK_EVERY_MS = 1000

/**
 * A pool exists by the file alone: one that is taken out of it leaves the store, with the proxies that commands added to it.
 *
 * U1. What another weigher declares stays: it writes the lease, and nobody touches a pool whose lease was written lately.
 * U2. The lease is taken by compare-and-set before anything is removed, and is removed last: nobody writes the pool meanwhile.
 */
export class UndeclaredPools implements Component {
  readonly name = 'undeclared-pools'
  readonly #options: UndeclaredPoolsOptions
  readonly #table: Table<Lease>
  readonly #ticker: Component
  readonly #leases = new Map<string, Heard>()
  #declared: ReadonlySet<string>
  /** Nothing could be heard, or nobody listened, before. */
  #since = Number.POSITIVE_INFINITY
  #watches: readonly Subscription[] = []
  #work: Promise<void> | undefined
  #problem = ''

  constructor(options: UndeclaredPoolsOptions) {
    this.#options = options
    this.#table = options.bus.table(leasesTable, 'owner')
    this.#declared = new Set(options.pools)
    const onError = (error: unknown) => options.log.error({ err: error }, 'undeclared pools not looked after')
    this.#ticker = createTicker({ name: this.name, everyMs: LOOK_EVERY_MS, run: (now) => this.#look(now), onError })
  }

  configure(pools: readonly string[]): void {
    this.#declared = new Set(pools)
    this.#since = this.#options.now()
  }

  start(): Promise<void> | void {
    const { bus, now } = this.#options
    const connection = bus.onConnection((isConnected) => {
      this.#since = isConnected ? now() : Number.POSITIVE_INFINITY
    })
    const leases = this.#table.watch((key, lease, revision) => {
      if (key.startsWith(leaseKey)) this.#heard(key.slice(leaseKey.length), { lease, revision, at: now() })
    })
    this.#watches = [connection, leases]
    return this.#ticker.start?.()
  }

  async stop(): Promise<void> {
    await this.#ticker.stop?.()
    for (const watch of this.#watches) watch.stop()
    await this.#work
  }

  #heard(pool: string, heard: Heard): void {
    // The same is told again after each reconnect.
    if (this.#leases.get(pool)?.revision !== heard.revision) this.#leases.set(pool, heard)
  }

  #look(now: number): void {
    const { list, tables } = this.#options
    if (this.#work !== undefined || !list.hasCaughtUp || !tables.hasCaughtUp) return
    const pool = [...this.#undeclared()].find((one) => this.#isAbandoned(one, now))
    if (pool === undefined) return
    this.#work = this.#guard(this.#remove(pool, now)).finally(() => (this.#work = undefined))
  }

  #undeclared(): Set<string> {
    const leased = [...this.#leases].flatMap(([pool, { lease }]) => (lease === undefined ? [] : [pool]))
    const known = new Set([...leased, ...this.#options.list.pools(), ...this.#options.tables.pools()])
    return known.difference(this.#declared)
  }

  #isAbandoned(pool: string, now: number): boolean {
    return isAbandoned(Math.max(this.#leases.get(pool)?.at ?? 0, this.#since), now)
  }

  async #remove(pool: string, takenAt: number): Promise<void> {
    const { list, tables, log, now } = this.#options
    const isOurs = () => now() - takenAt < EXPIRY_MS - STORE_MS && !this.#declared.has(pool)
    if (!(await this.#take(pool))) return
    for (const { id, origin, actor } of list.rowsOf(pool).values()) {
      // What is left is removed when the lease is old again.
      if (!isOurs()) return
      await list.remove(pool, id)
      log.info({ poolId: pool, proxyId: id, origin, actor }, 'proxy removed: its pool is in no configuration')
    }
    if (!isOurs()) return
    await tables.remove(pool)
    await inTime(this.#table.remove(leaseKey + pool))
    log.info({ poolId: pool }, 'weights and lease of a pool removed: it is in no configuration')
  }

  async #take(pool: string): Promise<boolean> {
    const { lease, revision } = this.#leases.get(pool) ?? {}
    const key = leaseKey + pool
    const taken: Lease = { holder: this.#options.bus.instance, epoch: lease?.epoch ?? 0, beat: (lease?.beat ?? 0) + 1 }
    const isThere = lease !== undefined && revision !== undefined
    const write = isThere ? this.#table.update(key, taken, revision) : this.#table.create(key, taken)
    return (await inTime(write)) !== 'conflict'
  }

  async #guard(work: Promise<void>): Promise<void> {
    try {
      await work
      this.#problem = ''
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      if (problem !== this.#problem)
        this.#options.log.warn({ problem }, 'undeclared pool not removed; it is tried again')
      this.#problem = problem
    }
  }
}
