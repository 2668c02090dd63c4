import { partsOfRows, ROWS_PER_PART, type WeightRow, type WeightTable } from '@siplb/contracts'

/**
 * A table as events say it: whole up to 500 rows, else the rows that are not as they were said before, by so many. Who wants all of a large
 * one reads the store.
 */
export function tableEvents(table: WeightTable, said: WeightTable | undefined): WeightTable[] {
  const parts = partsOfRows(table.proxies.length)
  if (parts === 0) return [table]
  const before = new Map(said?.proxies.map((row) => [row.id, row]))
  const changed = table.proxies.filter((row) => !isSame(row, before.get(row.id)))
  const events: WeightTable[] = []
  for (let at = 0; at === 0 || at < changed.length; at += ROWS_PER_PART)
    events.push({ ...table, parts, proxies: changed.slice(at, at + ROWS_PER_PART) })
  return events
}

/** What is said at a fixed rate: of a large table only which one is in force. */
export function snapshotEvent(table: WeightTable): WeightTable {
  const parts = partsOfRows(table.proxies.length)
  return parts === 0 ? table : { ...table, parts, proxies: [] }
}

function isSame(row: WeightRow, before: WeightRow | undefined): boolean {
  return (
    before !== undefined &&
    row.weight === before.weight &&
    row.baseWeight === before.baseWeight &&
    row.state === before.state &&
    row.restricted === before.restricted &&
    row.tier === before.tier &&
    row.uri === before.uri &&
    row.reason === before.reason
  )
}
