import { weightTables, type Bus, type Subscription, type Table } from '@siplb/bus'
import { compareRevisions, type WeightTable } from '@siplb/contracts'
import type { Component } from '@siplb/runtime'
import { inTime } from './deadline.ts'

interface Stored {
  /** The newest table that was heard of or written; it outlives a store that was lost. */
  said: WeightTable | undefined
  /** Of what is in the store now; undefined when nothing is. */
  revision: number | undefined
}

/** The weight tables in the store: what was said last, by whomever, and how to say more. */
export class TableWriter implements Component {
  readonly name = 'tables'
  readonly #bus: Bus
  readonly #table: Table<WeightTable>
  readonly #onTable: (table: WeightTable) => void
  readonly #stored = new Map<string, Stored>()
  #watches: readonly Subscription[] = []
  #hasCaughtUp = false

  constructor(bus: Bus, onTable: (table: WeightTable) => void) {
    this.#bus = bus
    this.#table = weightTables(bus, 'owner')
    this.#onTable = onTable
  }

  get hasCaughtUp(): boolean {
    return this.#hasCaughtUp
  }

  said(pool: string): WeightTable | undefined {
    return this.#stored.get(pool)?.said
  }

  /** Of all tables in the store. */
  pools(): string[] {
    return [...this.#stored].flatMap(([pool, { revision }]) => (revision === undefined ? [] : [pool]))
  }

  start(): void {
    // The store that is there then may be a new one, whose revisions count anew: ours would by chance be another's.
    const connection = this.#bus.onConnection(() => {
      for (const stored of this.#stored.values()) stored.revision = undefined
    })
    const tables = this.#table.watch(
      (pool, table, revision) => this.#heard(pool, table, revision),
      () => (this.#hasCaughtUp = true),
    )
    this.#watches = [connection, tables]
  }

  stop(): void {
    for (const watch of this.#watches) watch.stop()
  }

  /** By compare-and-set. False when another table is there: what it is, is known afterwards. */
  async write(table: WeightTable): Promise<boolean> {
    const { pool } = table
    const revision = this.#stored.get(pool)?.revision
    const write = revision === undefined ? this.#table.create(pool, table) : this.#table.update(pool, table, revision)
    const written = await inTime(write)
    if (written !== 'conflict') {
      this.#heard(pool, table, written)
      return true
    }
    const found = await inTime(this.#table.get(pool))
    this.#heard(pool, found?.value, found?.revision)
    return false
  }

  async remove(pool: string): Promise<void> {
    await inTime(this.#table.remove(pool))
    this.#heard(pool, undefined, undefined)
  }

  #heard(pool: string, table: WeightTable | undefined, revision: number | undefined): void {
    const { said } = this.#stored.get(pool) ?? {}
    const isNews = table !== undefined && (said === undefined || compareRevisions(table, said) > 0)
    this.#stored.set(pool, { said: isNews ? table : said, revision: table === undefined ? undefined : revision })
    if (isNews) this.#onTable(table)
  }
}
