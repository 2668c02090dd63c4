import { weightTables, type Bus } from '@siplb/bus'
import {
  compareRevisions,
  ROWS_PER_PART,
  tableSnapshot,
  weightsChanged,
  type PoolsConfig,
  type WeightRow,
  type WeightTable,
} from '@siplb/contracts'
import { snapshotSteps, tableFromConfig, type Snapshot } from '@siplb/routing'
import { atOnce, inTurns, type Logger } from '@siplb/runtime'
import type { DiskTables } from './disk-tables.ts'

/** How many proxies that left the list are remembered, per pool. */
const MOST_FORMER = 1000

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
  readonly #uris = new Map<string, Map<string, string>>()
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

  /** Where a proxy is, or was before it left the list: its dialogs go on. */
  uriOf(pool: string, proxy: string): string | undefined {
    return this.#uris.get(pool)?.get(proxy)
  }

  /** Of all proxies of a pool, those that left the list included. */
  urisOf(pool: string): IterableIterator<string> | readonly string[] {
    return this.#uris.get(pool)?.values() ?? []
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
    // A table under the name of another pool is none: the right to speak is given by name.
    const heard = (pool: string | undefined, table: WeightTable) => {
      if (pool === table.pool) this.#offer(table, 'bus')
    }
    weightTables(this.#bus, 'user').watch((key, table) => {
      if (table !== undefined) heard(key, table)
    })
    this.#bus.subscribe(weightsChanged, { pool: '*' }, ({ params, data }) => heard(params['pool'], data))
    this.#bus.subscribe(tableSnapshot, { pool: '*' }, ({ params, data }) => heard(params['pool'], data))
  }

  #offer(table: WeightTable, from: 'bus' | 'disk'): void {
    const known = this.#snapshots.get(table.pool)
    // A pool that is not in the file matches no request.
    if (known === undefined) return
    if (from === 'bus') this.#changedAt.set(table.pool, this.#now())
    // An event of a large table has not all of its rows: those come by the store.
    if (compareRevisions(table, known) <= 0 || table.parts !== undefined) return
    if (from === 'disk' || table.proxies.length <= ROWS_PER_PART) this.#use(table)
    else
      inTurns(this.#steps(table, () => this.#isNews(table))).catch((error: unknown) =>
        this.#log.error({ err: error, poolId: table.pool }, 'weight table not used'),
      )
    if (from === 'disk' || this.#disk === undefined) return
    this.#disk.write(table).catch((error: unknown) => this.#log.warn({ err: error }, 'weight table not kept on disk'))
  }

  #use(table: WeightTable): void {
    atOnce(this.#steps(table, () => true))
  }

  /** Not so once a newer one is used, or the pool has left the file. */
  #isNews(table: WeightTable): boolean {
    const known = this.#snapshots.get(table.pool)
    return known !== undefined && compareRevisions(table, known) > 0
  }

  *#steps(table: WeightTable, isWanted: () => boolean): Generator<undefined, void> {
    const { pool, proxies } = table
    const snapshot = yield* snapshotSteps(table)
    yield
    if (!isWanted()) return
    this.#noteUris(table)
    const before = this.rowsOf(pool)
    this.#snapshots.set(pool, snapshot)
    this.#rows.set(pool, proxies)
    for (const listener of this.#listeners) {
      yield
      listener(table, before)
    }
  }

  #noteUris({ pool, proxies }: WeightTable): void {
    const uris = this.#uris.get(pool) ?? new Map<string, string>()
    this.#uris.set(pool, uris)
    for (const { id, uri } of proxies) {
      uris.delete(id) // the newest stand last
      uris.set(id, uri)
    }
    for (const id of uris.keys()) {
      if (uris.size <= proxies.length + MOST_FORMER) break
      uris.delete(id)
    }
  }
}
