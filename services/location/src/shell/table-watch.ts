import { weightTables, type Bus, type Received, type Subscription } from '@siplb/bus'
import {
  compareRevisions,
  MOST_ROWS_WHOLE,
  tableSnapshot,
  wholeWeightsChanged,
  type PoolsConfig,
  type WeightTable,
} from '@siplb/contracts'
import { buildSnapshot, snapshotSteps, tableFromConfig, type Snapshot } from '@siplb/routing'
import { inTurns, type Component } from '@siplb/runtime'
import type { LocationMetrics } from '../metrics.ts'

export interface TableWatchOptions {
  readonly bus: Bus
  readonly metrics: LocationMetrics
  /** Monotonic milliseconds. */
  readonly now: () => number
}

/** What is known of a pool: the snapshot to choose by, and when it was last confirmed. */
interface Known {
  readonly snapshot: Snapshot
  readonly isFromConfig: boolean
  readonly heardAt: number
}

/**
 * The newest weight table of each configured pool, from the store and from events, whichever is first.
 *
 * W1. There is always one: base weights as configured until a table is heard.
 * W2. It never goes back within an epoch, nor to an older epoch.
 * W3. A snapshot is built aside and swapped in whole.
 */
export class TableWatch implements Component {
  readonly name = 'tables'
  readonly #bus: Bus
  readonly #metrics: LocationMetrics
  readonly #now: () => number
  readonly #known = new Map<string, Known>()
  readonly #snapshots = new Map<string, Snapshot>()
  #events: readonly Subscription[] = []
  #store: Subscription | undefined

  constructor({ bus, metrics, now }: TableWatchOptions) {
    this.#bus = bus
    this.#metrics = metrics
    this.#now = now
  }

  get snapshots(): ReadonlyMap<string, Snapshot> {
    return this.#snapshots
  }

  /** Pools that are new begin with their base weights; of the others, what was heard stays. */
  configure(pools: PoolsConfig): void {
    for (const [pool, config] of Object.entries(pools)) {
      const known = this.#known.get(pool)
      if (known !== undefined && !known.isFromConfig) continue
      const snapshot = buildSnapshot(tableFromConfig(pool, config))
      this.#know({ snapshot, isFromConfig: true, heardAt: known?.heardAt ?? this.#now() })
    }
    for (const pool of this.#known.keys()) if (!Object.hasOwn(pools, pool)) this.#forget(pool)
    // The store is read anew: it may hold tables of pools that are new here.
    if (this.#store !== undefined) this.#watchStore()
  }

  start(): void {
    this.#watchStore()
    const heard = ({ data, params }: Received<WeightTable>) => this.#offer(params['pool'], data, 'event')
    this.#events = [wholeWeightsChanged, tableSnapshot].map((channel) =>
      this.#bus.subscribe(channel, { pool: '*' }, heard, 'gentle'),
    )
  }

  stop(): void {
    this.#store?.stop()
    for (const subscription of this.#events) subscription.stop()
  }

  /** By pool: milliseconds since the weigher was last heard on it, or since the start. */
  ages(): [pool: string, ageMs: number][] {
    const now = this.#now()
    return [...this.#known].map(([pool, { heardAt }]) => [pool, now - heardAt])
  }

  /** What each pool is chosen by, for a person. */
  details(): Record<string, object> {
    const now = this.#now()
    const detailsOf = ({ snapshot: { epoch, seq, isEmpty }, isFromConfig, heardAt }: Known) => ({
      epoch,
      seq,
      weights: isFromConfig ? 'as configured: no table heard yet' : 'as the weigher says',
      ageSeconds: Math.round((now - heardAt) / 100) / 10,
      canTakeRequests: !isEmpty,
    })
    return Object.fromEntries([...this.#known].map(([pool, known]) => [pool, detailsOf(known)]))
  }

  #watchStore(): void {
    this.#store?.stop()
    this.#store = weightTables(this.#bus, 'user').watch((key, table) => {
      // A table that was removed, or a store that was lost, is no reason to forget what it said.
      if (table !== undefined) this.#offer(key, table, 'store')
    })
  }

  #offer(pool: string | undefined, table: WeightTable, from: 'store' | 'event'): void {
    const known = this.#known.get(table.pool)
    if (known === undefined) return // no request can match a pool that is not configured
    const result = pool === table.pool ? resultOf(known, table) : 'misplaced'
    // An event of a large table has not all of its rows: those come by the store.
    if (table.parts !== undefined && result === 'used') return
    this.#metrics.tables.inc({ pool: table.pool, result })
    if (result === 'used') {
      if (table.proxies.length <= MOST_ROWS_WHOLE) this.#use(buildSnapshot(table))
      else void inTurns(snapshotSteps(table)).then((snapshot) => this.#use(snapshot))
    } else if (result === 'known' && from === 'event') {
      // Only the writer itself shows that it lives; the store repeats an old table after each reconnect.
      this.#know({ ...known, heardAt: this.#now() })
    }
  }

  /** Unless a newer one came while this one was made ready, or the pool left the file. */
  #use(snapshot: Snapshot): void {
    const known = this.#known.get(snapshot.pool)
    if (known !== undefined && resultOf(known, snapshot) === 'used')
      this.#know({ snapshot, isFromConfig: false, heardAt: this.#now() })
  }

  #know(known: Known): void {
    this.#known.set(known.snapshot.pool, known)
    this.#snapshots.set(known.snapshot.pool, known.snapshot)
  }

  #forget(pool: string): void {
    this.#known.delete(pool)
    this.#snapshots.delete(pool)
  }
}

function resultOf(
  { snapshot, isFromConfig }: Known,
  table: Pick<WeightTable, 'epoch' | 'seq'>,
): 'used' | 'known' | 'older' {
  const difference = compareRevisions(table, snapshot)
  if (isFromConfig || difference > 0) return 'used'
  return difference === 0 ? 'known' : 'older'
}
