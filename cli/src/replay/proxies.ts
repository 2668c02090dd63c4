import { weightTables, type Bus } from '@siplb/bus'
import { proxiesTable, type ProxyRecord, type WeightTable } from '@siplb/contracts'
import { nearest } from '@siplb/runtime'
import { textOf } from '../bus.ts'
import { failure, misuse } from '../errors.ts'

/** A pool as the store has it; no weigher need be running for that. */
export interface StoredPool {
  readonly pool: string
  readonly records: readonly ProxyRecord[]
  readonly table: WeightTable | undefined
}

/** The pool that was named, or else the only one. */
export async function storedPool(bus: Bus, named: string | undefined): Promise<StoredPool> {
  const records = await readRecords(bus)
  const pools = [...new Set(records.map(({ pool }) => pool))].toSorted()
  const [only, ...others] = named === undefined ? pools : [named]
  if (only === undefined)
    throw failure('no weigher has kept a list of proxies on this bus yet: start one, with pools in its configuration')
  if (others.length > 0) throw misuse(`there are several pools, say which by --pool: ${pools.join(', ')}`)
  if (!pools.includes(only)) {
    const near = nearest(only, pools)
    const meant = near === undefined ? '' : ` (did you mean ${near}?)`
    throw failure(`there is no pool ${only}${meant}; there is ${pools.join(', ') || 'none yet'}`)
  }
  const table = await weightTables(bus, 'user')
    .get(only)
    .catch(() => undefined)
  return { pool: only, records: records.filter(({ pool }) => pool === only).toSorted(byId), table: table?.value }
}

async function readRecords(bus: Bus): Promise<ProxyRecord[]> {
  try {
    return (await bus.table(proxiesTable, 'user').entries()).map(({ value }) => value)
  } catch (error) {
    if (/stream not found|bucket not found/i.test(textOf(error))) return []
    throw failure(`the list of proxies cannot be read (${textOf(error)})`, error)
  }
}

// The store tells them in the order in which they were last written.
function byId(a: ProxyRecord, b: ProxyRecord): number {
  return a.tier - b.tier || a.id.localeCompare(b.id, 'en', { numeric: true })
}
