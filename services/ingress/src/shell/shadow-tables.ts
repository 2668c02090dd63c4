import type { Bus } from '@siplb/bus'
import { weightsShadowed, type Config, type Traffic, type WeightTable } from '@siplb/contracts'
import { buildSnapshot, createChooser, type Snapshot } from '@siplb/routing'
import { ShadowCount } from '../domain/shadow-count.ts'

/** A shadow that was not repeated for so many times is gone: by a reload it ends without a word. */
const MISSED = 3
/** However quickly it is repeated: the weigher may change meanwhile. */
const LEAST_MS = 10_000

interface Shadow {
  readonly count: ShadowCount
  snapshot: Snapshot
  heardAt: number
}

export interface ShadowTablesOptions {
  readonly bus: Bus
  /** As configured now. */
  readonly config: () => Config
  readonly random: () => number
  readonly now: () => number
  readonly onChoice: (pool: string, proxy: string) => void
}

/**
 * Shadow tables of the pools, and what they would have chosen. Their draws go by a chance and a memory of their own, so that the
 * real choices stay as they are; where no shadow was heard of, none of this happens.
 */
export class ShadowTables {
  readonly #options: ShadowTablesOptions
  readonly #shadows = new Map<string, Shadow>()
  readonly #chooser

  constructor(options: ShadowTablesOptions) {
    this.#options = options
    this.#chooser = createChooser(options.random)
  }

  start(): void {
    this.#options.bus.subscribe(weightsShadowed, { pool: '*' }, ({ params, data }) => {
      if (params['pool'] === data.pool) this.#heard(data)
    })
  }

  has(pool: string): boolean {
    return this.#shadows.has(pool)
  }

  /** A new request of the pool was routed: counts where the shadow would have sent it. */
  choose(pool: string, keyOf: (snapshot: Snapshot) => string | undefined, workOf: (proxy: string) => number): void {
    const shadow = this.#shadows.get(pool)
    if (shadow === undefined) return
    const { snapshot, count } = shadow
    const proxy = count.choose(snapshot, this.#chooser, keyOf(snapshot), workOf)
    if (proxy !== undefined) this.#options.onChoice(pool, proxy)
  }

  /** Adds to the traffic of a pool what its shadow would have chosen since then; nothing where it has none. */
  counted(pool: string, proxies: Traffic['proxies']): Traffic['proxies'] {
    const shadow = this.#living(pool)
    return shadow === undefined ? proxies : proxies.map((one) => ({ ...one, shadow: shadow.count.take(one.proxy) }))
  }

  #living(pool: string): Shadow | undefined {
    const shadow = this.#shadows.get(pool)
    if (shadow === undefined || this.#options.now() - shadow.heardAt < this.#patienceMs(pool)) return shadow
    this.#shadows.delete(pool)
    return undefined
  }

  #patienceMs(pool: string): number {
    const { pools, weights } = this.#options.config()
    const own = pools[pool]?.shadow?.weights.snapshotMs
    return Math.max(LEAST_MS, MISSED * (typeof own === 'number' ? own : weights.snapshotMs))
  }

  // The order is that of its one writer; an older one that still speaks is not heard.
  #heard(table: WeightTable): void {
    const { pool, epoch, seq } = table
    // Of a large table the rows are not told.
    if (this.#options.config().pools[pool] === undefined || table.parts !== undefined) return
    const heardAt = this.#options.now()
    const known = this.#living(pool)
    if (known === undefined) {
      this.#shadows.set(pool, { snapshot: buildSnapshot(table), heardAt, count: new ShadowCount() })
      return
    }
    if (epoch < known.snapshot.epoch) return
    known.heardAt = heardAt
    if (epoch !== known.snapshot.epoch || seq !== known.snapshot.seq) known.snapshot = buildSnapshot(table)
  }
}
