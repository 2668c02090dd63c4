import type { OverloadAsked, WeightRow, WeightTable } from '@siplb/contracts'
import { buildSnapshot } from '@siplb/routing'
import { durationText } from './duration-text.ts'
import { numberText, percentText, tableText, type Column } from './table-text.ts'

interface Shown {
  readonly row: WeightRow
  /** Of new requests, 0…1: what the next draw goes by. */
  readonly share: number
}

const none = '–'

/** Without `isNeeded` a column is always there; else where a row needs it, so that no table is wide with nothing. */
const columns: readonly (Column<Shown> & { readonly isNeeded?: (shown: Shown) => boolean })[] = [
  { title: 'proxy', text: ({ row }) => row.id },
  { title: 'uri', text: ({ row }) => row.uri },
  { title: 'tier', align: 'right', text: ({ row }) => String(row.tier) },
  { title: 'state', text: ({ row }) => (row.restricted ? `${row.state}, restricted` : row.state) },
  { title: 'base', align: 'right', text: ({ row }) => numberText(row.baseWeight) },
  { title: 'weight', align: 'right', text: ({ row }) => numberText(row.weight) },
  { title: 'share', align: 'right', text: ({ share }) => percentText(share) },
  {
    title: 'response',
    align: 'right',
    text: ({ row }) => shown(row.signals.responseTimeMs, (ms) => `${numberText(ms)} ms`),
  },
  { title: 'load', align: 'right', text: ({ row }) => shown(row.signals.load, percentText) },
  { title: 'faults', align: 'right', text: ({ row }) => shown(row.signals.faultRate, percentText) },
  {
    title: 'capacity',
    align: 'right',
    isNeeded: ({ row }) => row.signals.capacity !== undefined,
    text: ({ row }) => shown(row.signals.capacity, (capacity) => numberText(capacity, 2)),
  },
  {
    title: 'asks for',
    isNeeded: ({ row }) => isAsking(row.overload),
    text: ({ row }) => (isAsking(row.overload) ? askedText(row.overload) : none),
  },
  { title: 'left', isNeeded: ({ row }) => row.drain !== undefined, text: ({ row }) => shown(row.drain, drainText) },
  { title: 'reason', text: ({ row }) => row.reason },
]

/** A weight table for people. */
export function weightsText(table: WeightTable): string {
  const shares = sharesOf(table)
  const rows = inOrder(table.proxies).map((row) => ({ row, share: shares.get(row.id) ?? 0 }))
  const needed = columns.filter(({ isNeeded }) => isNeeded === undefined || rows.some(isNeeded))
  return `${headline(table)}\n${tableText(needed, rows)}`
}

function headline({ pool, policy, strict, epoch, seq, writer, panic }: WeightTable): string {
  const how = strict ? `${policy}, strict` : policy
  const alarm = panic ? '; so few proxies are left that ejected ones are used too' : ''
  return `pool ${pool}: ${how}; revision ${epoch}.${seq} by ${writer}${alarm}`
}

export function inOrder(rows: readonly WeightRow[]): WeightRow[] {
  return rows.toSorted((a, b) => a.tier - b.tier || a.id.localeCompare(b.id, 'en', { numeric: true }))
}

/** By proxy; those that take no new request, or whose tier is not needed, are left out. */
export function sharesOf(table: WeightTable): Map<string, number> {
  const { entries } = buildSnapshot(table).urn
  const sum = entries.reduce((total, { weight }) => total + weight, 0)
  return new Map(entries.map(({ candidate, weight }) => [candidate.proxy, weight / sum]))
}

/** What a newer table changes, a line for each proxy with the reason. */
export function changesText(before: WeightTable | undefined, after: WeightTable, at: Date): string[] {
  const known = new Map(before?.proxies.map((row) => [row.id, row]))
  const start = `${at.toTimeString().slice(0, 8)} ${after.pool}`
  const lines = inOrder(after.proxies).flatMap((row) => {
    const old = known.get(row.id)
    known.delete(row.id)
    if (old !== undefined && old.weight === row.weight && old.state === row.state) return []
    const from = old === undefined ? 'new' : numberText(old.weight)
    const state = old === undefined || old.state === row.state ? row.state : `${old.state} → ${row.state}`
    return [`${start} ${row.id} ${from} → ${numberText(row.weight)} (${state}): ${row.reason}`]
  })
  const gone = [...known.keys()].map((id) => `${start} ${id} is no longer in the pool`)
  return [...lines, ...gone]
}

// A validity of 0 ends what was asked for (RFC 7339, 4.3).
function isAsking(overload: OverloadAsked | undefined): overload is OverloadAsked {
  return overload !== undefined && overload.validityMs > 0
}

function askedText({ algorithm, value }: OverloadAsked): string {
  return algorithm === 'loss' ? `${numberText(value)} % less` : `at most ${numberText(value)}/s`
}

function drainText({ dialogs, doneInMs }: NonNullable<WeightRow['drain']>): string {
  const left = `${dialogs} ${dialogs === 1 ? 'dialog' : 'dialogs'} left`
  return doneInMs === undefined || dialogs === 0 ? left : `${left}, about ${durationText(doneInMs)}`
}

function shown<T>(value: T | undefined, text: (value: T) => string): string {
  return value === undefined ? none : text(value)
}
