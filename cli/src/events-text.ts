import type { ProxyStateChange, WeightTable } from '@siplb/contracts'
import { changesText } from './weights-text.ts'

/** The lines of a table that was said: against the one before it, or where none was heard yet, by its own `prevWeight`. */
export function weightTexts(before: WeightTable | undefined, table: WeightTable, at: Date): string[] {
  return changesText(before ?? asItWas(table), table, at)
}

function asItWas(table: WeightTable): WeightTable {
  return { ...table, proxies: table.proxies.map((row) => ({ ...row, weight: row.prevWeight })) }
}

export function stateText({ pool, proxy, prevState, state, cause, actor }: ProxyStateChange, at: Date): string {
  const who = cause.includes(actor) ? '' : ` (${actor})`
  return `${at.toTimeString().slice(0, 8)} ${pool} ${proxy} ${prevState} → ${state}: ${cause}${who}`
}
