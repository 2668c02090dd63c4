import type { Bus } from '@siplb/bus'
import {
  compareRevisions,
  tableSnapshot,
  weightsChanged,
  weightsTable,
  type PoolsConfig,
  type WeightRow,
  type WeightTable,
} from '@siplb/contracts'
import { buildSnapshot, tableFromConfig, type Snapshot } from '@siplb/routing'
import type { Logger } from '@siplb/runtime'
import type { DiskTables } from './disk-tables.ts'

/** Hears each new table, with the rows that it takes the place of. */
export type TableListener = (table: WeightTable, before: readonly WeightRow[]) => void

/**
 * The newest weight table of each pool, ready to choose by.
 *
 * K1. A table never goes back within an epoch; a higher epoch always wins.
 * K2. There is always one: from the bus, else from disk, else from the configuration.
 */
export class TableKeeper {
  readonly #bus: Bus
  readonly #disk: DiskTables | undefined
  readonly #log: Logger
  readonly #snapshots = new Map<string, Snapshot>()
  readonly #rows = new Map<string, readonly WeightRow[]>()
  readonly #changedAt = new Map<string, number>()
  readonly #listeners: TableListener[] = []
  readonly #now: () => number

  constructor(bus: Bus, disk: DiskTables | undefined, log: Logger, now: () => number) {
    this.#bus = bus
    this.#disk = disk
    this.#log = log
    this.#now = now
  }

  get snapshots(): ReadonlyMap<string, Snapshot> {
    return this.#snapshots
  }

  get(pool: string): Snapshot | undefined {
    return this.#snapshots.get(pool)
  }

  rowsOf(pool: string): readonly WeightRow[] {
    return this.#rows.get(pool) ?? []
  }

  /** Milliseconds since the pool's table was last heard of. */
  ageMs(pool: string): number | undefined {
    const at = this.#changedAt.get(pool)
    return at === undefined ? undefined : this.#now() - at
  }

  onTable(listener: TableListener): void {
    this.#listeners.push(listener)
  }

  /** Pools that are new get the weights of the file; those known keep what was learnt. */
  configure(pools: PoolsConfig): void {
    for (const [pool, config] of Object.entries(pools)) {
      const known = this.#snapshots.get(pool)
      if (known === undefined || known.epoch === 0) this.#use(tableFromConfig(pool, config))
    }
    for (const pool of this.#snapshots.keys()) if (!(pool in pools)) this.#snapshots.delete(pool)
  }

  start(): void {
    for (const table of this.#disk?.read() ?? []) this.#offer(table, 'disk')
    this.#bus.table(weightsTable, 'user').watch((_key, table) => {
      if (table !== undefined) this.#offer(table, 'bus')
    })
    this.#bus.subscribe(weightsChanged, { pool: '*' }, ({ data }) => this.#offer(data, 'bus'))
    this.#bus.subscribe(tableSnapshot, { pool: '*' }, ({ data }) => this.#offer(data, 'bus'))
  }

  #offer(table: WeightTable, from: 'bus' | 'disk'): void {
    const known = this.#snapshots.get(table.pool)
    // A pool that is not in the file matches no request.
    if (known === undefined) return
    if (from === 'bus') this.#changedAt.set(table.pool, this.#now())
    if (compareRevisions(table, known) <= 0) return
    this.#use(table)
    if (from === 'disk' || this.#disk === undefined) return
    this.#disk.write(table).catch((error: unknown) => this.#log.warn({ err: error }, 'weight table not kept on disk'))
  }

  #use(table: WeightTable): void {
    const before = this.rowsOf(table.pool)
    this.#snapshots.set(table.pool, buildSnapshot(table))
    this.#rows.set(table.pool, table.proxies)
    for (const listener of this.#listeners) listener(table, before)
  }
}
