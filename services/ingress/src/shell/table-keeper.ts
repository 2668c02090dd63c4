import { weightTables, type Bus } from '@siplb/bus'
import {
  compareRevisions,
  MOST_ROWS_WHOLE,
  tableSnapshot,
  wholeWeightsChanged,
  type PoolsConfig,
  type WeightRow,
  type WeightTable,
} from '@siplb/contracts'
import { snapshotSteps, tableFromConfig, type Snapshot } from '@siplb/routing'
import { atOnce, inTurns, type Logger } from '@siplb/runtime'
import type { DiskTables } from './disk-tables.ts'
import type { Listed } from './pool-traffic.ts'

/** How many proxies that left the list are remembered, per pool. */
const MOST_FORMER = 1000
/** Rows that are looked at in one step: a fraction of a millisecond. */
const ROWS_PER_STEP = 1000

/** What is known of the proxies of a pool. It stays when the pool leaves the file, for its dialogs go on. */
interface Known {
  readonly rows: readonly WeightRow[]
  readonly find: (proxy: string) => WeightRow | undefined
  /** Where those are that left the list, the newest last. */
  readonly former: ReadonlyMap<string, string>
}

const nothing: Known = { rows: [], find: () => undefined, former: new Map() }

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
  readonly #known = new Map<string, Known>()
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
    return this.#knownOf(pool).rows
  }

  listed(pool: string): Listed {
    const { rows, find } = this.#knownOf(pool)
    return { rows, has: (proxy) => find(proxy) !== undefined }
  }

  /** Where a proxy is, or was before it left the list: its dialogs go on. */
  uriOf(pool: string, proxy: string): string | undefined {
    const { find, former } = this.#knownOf(pool)
    return find(proxy)?.uri ?? former.get(proxy)
  }

  /** Of the proxies of a pool that left the list. */
  formerUrisOf(pool: string): Iterable<string> {
    return this.#knownOf(pool).former.values()
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
    this.#bus.subscribe(wholeWeightsChanged, { pool: '*' }, ({ params, data }) => heard(params['pool'], data), 'gentle')
    this.#bus.subscribe(tableSnapshot, { pool: '*' }, ({ params, data }) => heard(params['pool'], data))
  }

  #offer(table: WeightTable, from: 'bus' | 'disk'): void {
    const known = this.#snapshots.get(table.pool)
    // A pool that is not in the file matches no request.
    if (known === undefined) return
    if (from === 'bus') this.#changedAt.set(table.pool, this.#now())
    // An event of a large table has not all of its rows: those come by the store.
    if (compareRevisions(table, known) <= 0 || table.parts !== undefined) return
    if (from === 'disk' || table.proxies.length <= MOST_ROWS_WHOLE) this.#use(table)
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
    const find = (proxy: string) => snapshot.find(proxy)
    yield
    let before: Known
    let former: Known['former']
    do {
      before = this.#knownOf(pool)
      former = yield* formerSteps(before, find)
      if (!isWanted()) return
    } while (this.#knownOf(pool) !== before) // another table came first
    this.#snapshots.set(pool, snapshot)
    this.#known.set(pool, { rows: proxies, find, former })
    for (const listener of this.#listeners) {
      yield
      listener(table, before.rows)
    }
  }

  #knownOf(pool: string): Known {
    return this.#known.get(pool) ?? nothing
  }
}

function* formerSteps({ rows, former }: Known, find: Known['find']): Generator<undefined, Known['former']> {
  const left = new Map([...former].filter(([id]) => find(id) === undefined))
  let seen = 0
  for (const { id, uri } of rows) {
    if (find(id) === undefined) left.set(id, uri)
    if (++seen % ROWS_PER_STEP === 0) yield
  }
  return left.size <= MOST_FORMER ? left : new Map([...left].slice(-MOST_FORMER))
}
