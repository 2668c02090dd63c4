import type { ProxyStateChange, WeightRow, WeightTable } from '@siplb/contracts'
import { calm, isTurn, newsOf, type Frame } from './news.ts'
import { join } from './reasons.ts'
import type { WeighedProxy, Weighing } from './weighed-proxy.ts'

/**
 * The next table of a pool. A row without news keeps the weight that was said, so that a reader never sees a weight move
 * without its reason; figures and states are those of now.
 */
export function nextTable(
  said: WeightTable | undefined,
  frame: Frame,
  now: Weighing,
  epoch: number,
  deadBand: number,
): WeightTable {
  const rows = new Map(said?.proxies.map((row) => [row.id, row]))
  const isSameEpoch = said?.epoch === epoch
  const prevSeq = isSameEpoch ? said.seq : 0
  return {
    ...frame,
    costs: { ...frame.costs },
    epoch,
    seq: prevSeq + 1,
    prevSeq,
    panic: now.panic,
    proxies: now.proxies.map((proxy) => nextRow(rows.get(proxy.id), proxy, deadBand)),
  }
}

/**
 * The first table of a writer that takes over: the weights that were said, under its own epoch. What it sees otherwise is said
 * next, with a reason. A proxy that came or went meanwhile is in it, or is not.
 */
export function takenOver(said: WeightTable, frame: Frame, now: Weighing, epoch: number): WeightTable {
  const next = nextTable(said, frame, now, epoch, 0)
  const rows = new Map(said.proxies.map((row) => [row.id, row]))
  const proxies = next.proxies.map((row) => {
    const before = rows.get(row.id)
    const isSame =
      before !== undefined &&
      before.uri === row.uri &&
      before.baseWeight === row.baseWeight &&
      isOpen(before) === isOpen(row)
    return isSame ? { ...before, tier: row.tier, prevWeight: before.weight } : row
  })
  const isSettled = proxies.every((row) => rows.get(row.id)?.weight === row.weight)
  return { ...next, panic: isSettled ? said.panic : next.panic, proxies }
}

/**
 * A table that is told again: everything that one chooses by is as it was said, so that nobody ever sees two tables under one
 * `(epoch, seq)`; figures are those of now, and so are states, but for who goes or comes back: that is told with its weight.
 */
export function withPresentFigures(said: WeightTable, now: Weighing): WeightTable {
  const weighed = new Map(now.proxies.map((proxy) => [proxy.id, proxy]))
  const proxies = said.proxies.map((row) => {
    const proxy = weighed.get(row.id)
    if (proxy === undefined || proxy.uri !== row.uri) return row
    const { overload: _overload, drain: _drain, ...rest } = row
    const state = isTurn(row.state, proxy.state) ? row.state : proxy.state
    return { ...rest, state, signals: proxy.signals, ...presentOf(proxy) }
  })
  return { ...said, proxies }
}

/** What to tell of states that changed from one table to the next. A lost probe alone is not told. */
export function stateChanges(said: WeightTable | undefined, next: WeightTable, now: Weighing): ProxyStateChange[] {
  const before = new Map(said?.proxies.map((row) => [row.id, row.state]))
  const weighed = new Map(now.proxies.map((proxy) => [proxy.id, proxy]))
  return next.proxies.flatMap(({ id, state }) => {
    const prevState = calm(before.get(id) ?? 'unknown')
    const proxy = weighed.get(id)
    if (prevState === calm(state) || proxy === undefined) return []
    return [
      { pool: next.pool, proxy: id, state: calm(state), prevState, cause: proxy.why.slice(0, 512), actor: proxy.actor },
    ]
  })
}

function nextRow(row: WeightRow | undefined, proxy: WeighedProxy, deadBand: number): WeightRow {
  const { id, uri, tier, baseWeight, state, restricted, signals, why } = proxy
  const known = { id, uri, tier, baseWeight, state, restricted, signals, ...presentOf(proxy) }
  if (row === undefined) return { ...known, weight: proxy.weight, prevWeight: proxy.weight, reason: why.slice(0, 512) }
  const weight = newsOf(row, proxy, deadBand) === 'none' ? row.weight : proxy.weight
  const isChanged = weight !== row.weight || row.state !== state || row.baseWeight !== baseWeight
  const isToSay = isChanged || state === 'suspect' // which counts
  const words = row.baseWeight === baseWeight ? why : wordsOfBase(proxy)
  return { ...known, weight, prevWeight: row.weight, reason: isToSay ? words.slice(0, 512) : row.reason }
}

/** What holds just now, and is absent else. */
function presentOf({ overload, drain }: WeighedProxy): Pick<WeightRow, 'overload' | 'drain'> {
  return { ...(overload === undefined ? {} : { overload }), ...(drain === undefined ? {} : { drain }) }
}

function wordsOfBase({ weight, baseWeight, state, why, baseWhy }: WeighedProxy): string {
  const isPlain = weight === baseWeight && (state === 'up' || state === 'unknown')
  return isPlain ? baseWhy : join(why, baseWhy)
}

function isOpen({ state }: WeightRow): boolean {
  return state !== 'disabled' && state !== 'draining' && state !== 'drained'
}
