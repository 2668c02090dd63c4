import type { WeightRow, WeightTable } from '@siplb/contracts'
import { numberText, percentText, tableText, type Column } from './table-text.ts'
import { inOrder, sharesOf } from './weights-text.ts'

/** The table of a pool, and what its shadow would say. */
export interface Beside {
  readonly live: WeightTable
  readonly shadow: WeightTable | undefined
}

interface ComparedRow {
  readonly id: string
  readonly state: WeightRow['state']
  readonly shadowState: WeightRow['state'] | undefined
  readonly weight: number
  readonly shadowWeight: number | undefined
  /** Of requests, 0…1. */
  readonly share: number
  readonly shadowShare: number | undefined
  readonly reason: string
  readonly shadowReason: string | undefined
}

export interface Compared {
  /** Shares are of the requests that were counted; else, of a pool without traffic, as drawn by weight. */
  readonly isCounted: boolean
  readonly proxies: readonly ComparedRow[]
}

const none = '–'

const columns: readonly Column<ComparedRow>[] = [
  { title: 'proxy', text: ({ id }) => id },
  { title: 'state', text: ({ state }) => state },
  { title: 'would be', text: ({ shadowState }) => shadowState ?? none },
  { title: 'weight', align: 'right', text: ({ weight }) => numberText(weight) },
  { title: 'would be', align: 'right', text: ({ shadowWeight }) => shown(shadowWeight, numberText) },
  { title: 'share', align: 'right', text: ({ share }) => percentText(share) },
  { title: 'would be', align: 'right', text: ({ shadowShare }) => shown(shadowShare, percentText) },
  { title: 'reason', text: ({ reason }) => reason },
  {
    title: 'would be',
    text: ({ reason, shadowReason }) => (shadowReason === reason ? 'the same' : (shadowReason ?? none)),
  },
]

/** Both side by side, for people. */
export function besideText({ live, shadow }: Beside): string {
  if (shadow === undefined) return `pool ${live.pool}: ${policyOf(live)}; no shadow was heard`
  const { isCounted, proxies } = comparedRows({ live, shadow })
  const shares = isCounted ? 'of the requests of the last seconds' : 'as drawn by weight, since there are no requests'
  return `pool ${live.pool}: ${policyOf(live)}; its shadow: ${policyOf(shadow)}; shares are ${shares}\n${tableText(columns, proxies)}`
}

export function comparedRows({ live, shadow }: Beside): Compared {
  const counted = [live, ...(shadow === undefined ? [] : [shadow])].map(countedShares)
  const isCounted = counted.every((shares) => shares !== undefined)
  const [shares = sharesOf(live), shadowShares] = isCounted
    ? counted
    : [sharesOf(live), shadow === undefined ? undefined : sharesOf(shadow)]
  const rows = new Map(shadow?.proxies.map((row) => [row.id, row]))
  const proxies = inOrder(live.proxies).map((row) => {
    const would = rows.get(row.id)
    return {
      ...{ id: row.id, state: row.state, weight: row.weight, reason: row.reason },
      share: shares.get(row.id) ?? 0,
      ...{ shadowState: would?.state, shadowWeight: would?.weight, shadowReason: would?.reason },
      shadowShare: would === undefined ? undefined : (shadowShares?.get(row.id) ?? 0),
    }
  })
  return { isCounted, proxies }
}

/** Undefined where no requests were counted. */
function countedShares({ proxies }: WeightTable): Map<string, number> | undefined {
  const rates = proxies.map(({ id, signals }) => [id, signals.requestsPerSecond ?? 0] as const)
  const sum = rates.reduce((total, [, rate]) => total + rate, 0)
  return sum === 0 ? undefined : new Map(rates.map(([id, rate]) => [id, rate / sum]))
}

function policyOf({ policy, strict }: WeightTable): string {
  return strict ? `${policy}, strict` : policy
}

function shown<T>(value: T | undefined, text: (value: T) => string): string {
  return value === undefined ? none : text(value)
}
