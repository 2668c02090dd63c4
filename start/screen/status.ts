import type { WeightRow, WeightTable } from '@siplb/contracts'

export interface Calls {
  readonly started: number
  readonly completed: number
  readonly failed: number
  readonly failures: Readonly<Record<string, number>>
}

/** How things stand: the newest table of each pool, and how many requests each proxy got of late. */
export interface Standing {
  readonly calls: Calls | undefined
  readonly tables: readonly WeightTable[]
  readonly requestsOf: (pool: string, proxy: string) => number
}

const MOST_ROWS = 20

/** One line: `calls 240 started, 238 completed, 0 failed | px1 up, weight 100 (45 %), 44 % of requests, 6 ms | …`. */
export function statusLine(standing: Standing): string {
  const proxies = standing.tables.flatMap((table) => rowsOf(table, standing))
  const rows = proxies
    .slice(0, MOST_ROWS)
    .map(
      ({ name, state, weight, share, requests, responseTime }) =>
        `${name} ${state}, weight ${weight} (${share}), ${requests} of requests, ${responseTime}`,
    )
  return [...callsLine(standing.calls), ...rows, ...more(proxies.length)].join(' | ')
}

/** A table, for a terminal. */
export function statusBlock(standing: Standing): string[] {
  const proxies = standing.tables.flatMap((table) => rowsOf(table, standing))
  const rows = proxies.slice(0, MOST_ROWS).map((row) => Object.values(row))
  const cells = [['proxy', 'state', 'weight', 'share', 'requests', 'response time'], ...rows]
  const widths = cells[0]?.map((_, i) => Math.max(...cells.map((row) => (row[i] ?? '').length))) ?? []
  const lines = cells.map((row) =>
    row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('   '),
  )
  return ['', ...callsLine(standing.calls), ...(rows.length === 0 ? [] : lines), ...more(proxies.length)]
}

/** What a new table says about weights that moved: `px3 100 → 48: response time 61 ms, pool 6 ms`. */
export function changeLines({ pool, proxies }: WeightTable): string[] {
  const moved = proxies.filter((row) => row.weight !== row.prevWeight)
  const lines = moved.slice(0, MOST_ROWS).map(({ id, prevWeight, weight, reason }) => {
    return `weight of ${nameOf(pool, id)} ${numberText(prevWeight)} → ${numberText(weight)}: ${reason}`
  })
  return [...lines, ...more(moved.length)]
}

/** `px1`, or `gateways/px1` in another pool than the default one. */
export function nameOf(pool: string, proxy: string): string {
  return pool === 'default' ? proxy : `${pool}/${proxy}`
}

function numberText(weight: number): string {
  return String(Number(weight.toFixed(1)))
}

function callsLine(calls: Calls | undefined): string[] {
  if (calls === undefined) return []
  const reasons = Object.entries(calls.failures).map(([reason, n]) => `${n} × ${reason}`)
  const failures = reasons.length === 0 ? '' : ` (${reasons.join(', ')})`
  return [`calls ${calls.started} started, ${calls.completed} completed, ${calls.failed} failed${failures}`]
}

function rowsOf(table: WeightTable, { requestsOf }: Standing) {
  const weights = table.proxies.reduce((sum, row) => sum + row.weight, 0)
  const all = table.proxies.reduce((sum, row) => sum + requestsOf(table.pool, row.id), 0)
  return table.proxies.map((row) => ({
    name: nameOf(table.pool, row.id),
    state: row.state,
    weight: String(Math.round(row.weight)),
    share: percent(row.weight, weights),
    requests: percent(requestsOf(table.pool, row.id), all),
    responseTime: responseTimeOf(row),
  }))
}

function responseTimeOf({ signals: { responseTimeMs } }: WeightRow): string {
  if (responseTimeMs === undefined) return 'no time yet'
  return `${responseTimeMs.toFixed(responseTimeMs < 10 ? 1 : 0)} ms`
}

function percent(part: number, whole: number): string {
  return whole === 0 ? '0 %' : `${Math.round((part / whole) * 100)} %`
}

function more(count: number): string[] {
  return count > MOST_ROWS ? [`and ${count - MOST_ROWS} more`] : []
}
