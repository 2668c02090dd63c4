import type { Bus, Subscription, Table } from '@siplb/bus'
import { proxiesTable, type PoolsConfig, type ProxyRecord } from '@siplb/contracts'
import type { Component } from '@siplb/runtime'
import { importDeclared, type ListChange } from '../domain/proxy-list.ts'
import { inTime } from './deadline.ts'

/** Compare-and-sets that are lost in a row before a command gives up: as many operators do not type at once. */
const MOST_TRIES = 5

export interface ProxyListOptions {
  readonly bus: Bus
  readonly pools: PoolsConfig
  /** A row as it is now, undefined for one that was removed. */
  readonly onRow: (pool: string, id: string, record: ProxyRecord | undefined) => void
}

/**
 * The list of proxies in the store, and this replica's copy of it. The copy outlives a store that was lost; what then holds
 * the pool's lease writes it back.
 */
export class ProxyList implements Component {
  readonly name = 'proxy-list'
  readonly #bus: Bus
  readonly #table: Table<ProxyRecord>
  readonly #onRow: ProxyListOptions['onRow']
  readonly #rows = new Map<string, ProxyRecord>()
  #pools: PoolsConfig
  #watches: readonly Subscription[] = []
  #hasCaughtUp = false
  /** What the store told since the bus was last connected: the rest of our copy it has lost. */
  #told = new Set<string>()
  #hasToldAll = false

  constructor({ bus, pools, onRow }: ProxyListOptions) {
    this.#bus = bus
    this.#table = bus.table(proxiesTable, 'owner')
    this.#pools = pools
    this.#onRow = onRow
  }

  /** Whether the store has once told all that it holds. */
  get hasCaughtUp(): boolean {
    return this.#hasCaughtUp
  }

  start(): void {
    const connection = this.#bus.onConnection(() => {
      this.#told = new Set()
      this.#hasToldAll = false
    })
    const rows = this.#table.watch(
      (key, record) => this.#heard(key, record),
      () => (this.#hasCaughtUp = this.#hasToldAll = true),
    )
    this.#watches = [connection, rows]
  }

  stop(): void {
    for (const watch of this.#watches) watch.stop()
  }

  configure(pools: PoolsConfig): void {
    this.#pools = pools
  }

  /** Of all rows, declared by us or not. */
  pools(): Set<string> {
    return new Set([...this.#rows.values()].map(({ pool }) => pool))
  }

  rowsOf(pool: string): ReadonlyMap<string, ProxyRecord> {
    const rows = [...this.#rows.values()].filter((record) => record.pool === pool)
    return new Map(rows.map((record) => [record.id, record]))
  }

  /**
   * Brings the file's proxies of a pool into the store, and back what the store has lost; for the holder of the pool's lease.
   * False: not yet, the store is still telling what it holds.
   */
  async import(pool: string): Promise<boolean> {
    if (!this.#hasToldAll) return false
    for (const record of this.rowsOf(pool).values()) {
      const key = keyOf(pool, record.id)
      if (!this.#told.has(key)) await inTime(this.#table.create(key, record))
    }
    const { write, remove } = importDeclared(pool, this.#pools[pool]?.proxies ?? [], this.rowsOf(pool))
    for (const record of write) await this.change(pool, record.id, (known) => mergeInto(known, record))
    for (const id of remove) await this.remove(pool, id)
    return true
  }

  /** Changes a row by compare-and-set: what others did meanwhile is seen and decided upon. */
  async change(pool: string, id: string, decide: (known: ProxyRecord | undefined) => ListChange): Promise<ListChange> {
    const key = keyOf(pool, id)
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const entry = await inTime(this.#table.get(key))
      const change = decide(entry?.value)
      if (change.kind === 'remove') await this.remove(pool, id)
      if (change.kind !== 'write') return change
      const write =
        entry === undefined
          ? this.#table.create(key, change.record)
          : this.#table.update(key, change.record, entry.revision)
      if ((await inTime(write)) === 'conflict') continue
      this.#heard(key, change.record)
      return change
    }
    return { kind: 'refused', status: 409, text: `proxy "${id}" is being changed by others; give the command again` }
  }

  async remove(pool: string, id: string): Promise<void> {
    const key = keyOf(pool, id)
    await inTime(this.#table.remove(key))
    this.#heard(key, undefined)
  }

  #heard(key: string, record: ProxyRecord | undefined): void {
    const [pool, id] = key.split('.')
    if (pool === undefined || id === undefined) return
    this.#told.add(key)
    if (record === undefined) this.#rows.delete(key)
    else this.#rows.set(key, record)
    this.#onRow(pool, id, record)
  }
}

/** Between the look at the copy and the write an operator may have changed the row: what is theirs stays. */
function mergeInto(known: ProxyRecord | undefined, declared: ProxyRecord): ListChange {
  if (known === undefined) return { kind: 'write', record: declared }
  const { adminState, operatorWeight, actor } = known
  const { operatorWeight: _ours, ...rest } = declared
  const record = { ...rest, adminState, actor, ...(operatorWeight === undefined ? {} : { operatorWeight }) }
  return { kind: 'write', record }
}

function keyOf(pool: string, id: string): string {
  return `${pool}.${id}`
}
