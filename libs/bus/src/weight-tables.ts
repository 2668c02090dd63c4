import {
  compareRevisions,
  partsOfRows,
  ROWS_PER_PART,
  weightsTable,
  type TablePart,
  type WeightTable,
} from '@siplb/contracts'
import type { Bus, Subscription } from './bus.ts'
import type { Entry, Table } from './table.ts'

type Stored = WeightTable | TablePart

/** The weight tables in the store, each one whole: large ones are written and read in parts, of which nobody sees any. */
export function weightTables(bus: Bus, role: 'owner' | 'user'): Table<WeightTable> {
  return new WeightTables(bus.table(weightsTable, role))
}

class WeightTables implements Table<WeightTable> {
  readonly #table: Table<Stored>

  constructor(table: Table<Stored>) {
    this.#table = table
  }

  /** Undefined also while another table is being written. */
  async get(pool: string): Promise<Entry<WeightTable> | undefined> {
    const head = await this.#table.get(pool)
    if (head === undefined || isPart(head.value)) return undefined
    const collector = new Collector()
    const numbers = Array.from({ length: head.value.parts ?? 0 }, (_, i) => i)
    for (const part of await Promise.all(numbers.map((n) => this.#table.get(keyOf(pool, n)))))
      if (part !== undefined) collector.take(part.value)
    const value = collector.take(head.value)
    return value && { key: pool, value, revision: head.revision }
  }

  put(pool: string, table: WeightTable): Promise<number> {
    return this.#write(pool, table, (head) => this.#table.put(pool, head))
  }

  create(pool: string, table: WeightTable): Promise<number | 'conflict'> {
    return this.#write(pool, table, (head) => this.#table.create(pool, head))
  }

  update(pool: string, table: WeightTable, revision: number): Promise<number | 'conflict'> {
    return this.#write(pool, table, (head) => this.#table.update(pool, head, revision))
  }

  async remove(pool: string): Promise<void> {
    const head = await this.#table.get(pool)
    await this.#table.remove(pool)
    const parts = head === undefined || isPart(head.value) ? 0 : (head.value.parts ?? 0)
    for (let n = 0; n < parts; n++) await this.#table.remove(keyOf(pool, n))
  }

  async entries(): Promise<Entry<WeightTable>[]> {
    const found: Entry<WeightTable>[] = []
    const collectors = new Collectors()
    const [parts, heads] = partition(await this.#table.entries())
    for (const { key, value } of parts) collectors.of(poolOf(key)).take(value)
    for (const { key, value, revision } of heads) {
      const whole = collectors.of(key).take(value)
      if (whole !== undefined) found.push({ key, value: whole, revision })
    }
    return found
  }

  watch(
    handler: (pool: string, table: WeightTable | undefined, revision: number) => void,
    onCaughtUp?: () => void,
  ): Subscription {
    const collectors = new Collectors()
    const revisions = new Map<string, number>()
    return this.#table.watch((key, value, revision) => {
      const pool = poolOf(key)
      if (value === undefined) return key === pool ? handler(pool, undefined, revision) : undefined
      if (key === pool) revisions.set(pool, revision)
      const whole = collectors.of(pool).take(value)
      if (whole !== undefined) handler(pool, whole, revisions.get(pool) ?? revision)
    }, onCaughtUp)
  }

  // The head says that all is there, so it comes last.
  async #write<R>(pool: string, table: WeightTable, writeHead: (head: WeightTable) => Promise<R>): Promise<R> {
    const parts = partsOf(table)
    for (const part of parts) await this.#table.put(keyOf(pool, part.part), part)
    return writeHead(parts.length === 0 ? table : { ...table, parts: parts.length, proxies: [] })
  }
}

/** Puts the tables of one pool together, in whatever order head and parts come: after a lost connection they come by key. */
class Collector {
  #head: WeightTable | undefined
  readonly #parts = new Map<number, TablePart>()

  /** The whole table, when this is what was missing of it. */
  take(value: Stored): WeightTable | undefined {
    if (isPart(value)) this.#parts.set(value.part, value)
    else if (value.parts === undefined) return value
    else this.#head = value
    return this.#whole()
  }

  #whole(): WeightTable | undefined {
    if (this.#head === undefined) return undefined
    const { parts: count = 0, ...head } = this.#head
    const proxies: WeightTable['proxies'] = []
    for (let n = 0; n < count; n++) {
      const part = this.#parts.get(n)
      if (part === undefined || compareRevisions(part, head) !== 0) return undefined
      proxies.push(...part.proxies)
    }
    this.#head = undefined
    this.#parts.clear()
    return { ...head, proxies }
  }
}

class Collectors {
  readonly #byPool = new Map<string, Collector>()

  of(pool: string): Collector {
    const known = this.#byPool.get(pool)
    if (known !== undefined) return known
    const made = new Collector()
    this.#byPool.set(pool, made)
    return made
  }
}

function partsOf({ pool, epoch, seq, proxies }: WeightTable): TablePart[] {
  return Array.from({ length: partsOfRows(proxies.length) }, (_, part) => {
    const first = part * ROWS_PER_PART
    return { pool, epoch, seq, part, proxies: proxies.slice(first, first + ROWS_PER_PART) }
  })
}

function partition(entries: readonly Entry<Stored>[]): [parts: Entry<TablePart>[], heads: Entry<WeightTable>[]] {
  const parts: Entry<TablePart>[] = []
  const heads: Entry<WeightTable>[] = []
  for (const { key, value, revision } of entries) {
    if (isPart(value)) parts.push({ key, value, revision })
    else heads.push({ key, value, revision })
  }
  return [parts, heads]
}

const isPart = (value: Stored): value is TablePart => 'part' in value
const keyOf = (pool: string, part: number): string => `${pool}.${part}`
const poolOf = (key: string): string => key.split('.', 1)[0] ?? key

/** What is known of a table after an event, which has of a large one only the rows that changed; rows that are gone stay until it is read anew. */
export function withChanges(known: WeightTable | undefined, event: WeightTable): WeightTable {
  if (event.parts === undefined || known === undefined) return event
  const changed = new Map(event.proxies.map((row) => [row.id, row]))
  const proxies = known.proxies.map((row) => changed.get(row.id) ?? row)
  for (const { id } of known.proxies) changed.delete(id)
  return { ...event, proxies: [...proxies, ...changed.values()] }
}
