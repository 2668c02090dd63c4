import type { ProxyState, WeightRow, WeightTable } from '@siplb/contracts'
import type { WeighedProxy, Weighing } from './weighed-proxy.ts'

/**
 * Whether a difference between what was said and what is now is worth saying: `urgent` at once (somebody goes, comes back, or
 * loses a quarter of what it had), `minor` when there has not been much to say of late, `none` not at all.
 */
export type News = 'none' | 'minor' | 'urgent'

/** The pool's own settings, as the table carries them. */
export interface Frame {
  readonly pool: string
  readonly writer: string
  readonly policy: WeightTable['policy']
  readonly strict: boolean
  readonly costs: Readonly<Record<string, number>>
}

const URGENT_PART = 0.25
/** Under this part of the base weight a change of any size is small. */
const SMALL_PART = 0.25

export function newsIn(said: WeightTable, frame: Frame, now: Weighing, deadBand: number): News {
  const { policy, strict } = frame
  const isReframed = said.policy !== policy || said.strict !== strict || said.panic !== now.panic
  const rows = new Map(said.proxies.map((row) => [row.id, row]))
  if (isReframed || rows.size !== now.proxies.length) return 'urgent'
  let news: News = isSame(said.costs, frame.costs) ? 'none' : 'minor'
  for (const proxy of now.proxies) {
    const row = rows.get(proxy.id)
    const own = row === undefined ? 'urgent' : newsOf(row, proxy, deadBand)
    if (own === 'urgent') return own
    if (own === 'minor') news = own
  }
  return news
}

function isSame(a: Frame['costs'], b: Frame['costs']): boolean {
  const methods = Object.keys(a)
  return methods.length === Object.keys(b).length && methods.every((method) => a[method] === b[method])
}

export function newsOf(row: WeightRow, proxy: WeighedProxy, deadBand: number): News {
  const { uri, tier, baseWeight, state, restricted } = proxy
  if (row.uri !== uri || row.tier !== tier || row.baseWeight !== baseWeight) return 'urgent'
  if (isTurn(row.state, state)) return 'urgent'
  const weight = newsOfWeight(row.weight, proxy, deadBand)
  const isOtherState = row.state !== state || row.restricted !== restricted
  return weight === 'none' && isOtherState ? 'minor' : weight
}

function newsOfWeight(from: number, { weight: to, baseWeight }: WeighedProxy, deadBand: number): News {
  if (from === to) return 'none'
  if (from === 0 || to === 0) return 'urgent'
  const move = Math.abs(to - from)
  const isUp = to > from
  const isBigEnough = move >= deadBand * baseWeight
  if (isBigEnough && move >= URGENT_PART * (isUp ? baseWeight : from)) return 'urgent'
  const isWorthIt = move >= deadBand * Math.max(from, isUp ? SMALL_PART * baseWeight : 0)
  // What has its base weight again is said to have it exactly.
  return isWorthIt || to === baseWeight ? 'minor' : 'none'
}

/** Whether a proxy goes out of use with it, or comes back: everybody wants to know at once. */
export function isTurn(from: ProxyState, to: ProxyState): boolean {
  const isGrown = from === 'recovering' && to === 'up'
  return from !== to && !isGrown && !(isPlain(from) && isPlain(to))
}

function isPlain(state: ProxyState): boolean {
  return state === 'unknown' || state === 'up' || state === 'suspect'
}

/** A lost probe alone changes nothing that anybody chooses by. */
export function calm(state: ProxyState): ProxyState {
  return state === 'suspect' ? 'up' : state
}
