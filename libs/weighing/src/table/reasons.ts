import type { ProxyRecord } from '@siplb/contracts'
import type { ResponseFactor } from '../factors/response-factor.ts'

/** All that holds a proxy's weight under its base weight, or speaks for it. */
export interface Influences {
  readonly response: ResponseFactor | undefined
  readonly load: number | undefined
  readonly loadFactor: number
  readonly loadTarget: number
  readonly faultRate: number
  readonly faultFactor: number
  readonly refusalFactor: number
  /** Of the slow start. */
  readonly growth: number
  /** What it can take, learned; 1: as its base weight says. */
  readonly capacity: number
}

/** What else is to be said of a proxy. */
export interface Circumstances {
  /** It has its base weight. */
  readonly isWhole: boolean
  /** Why that is what it is. */
  readonly baseWhy: string
  /** Probes that are lost, in words. */
  readonly doubt: string | undefined
}

/** In words that an operator understands: "response time 91 ms, pool 22 ms; load 0.85, target 0.7". */
export function wordsFor(influences: Influences, { isWhole, baseWhy, doubt }: Circumstances): string {
  const against = [...(isWhole ? [] : wordsAgainst(influences)), ...(doubt === undefined ? [] : [doubt])]
  if (against.length > 0) return against.join('; ')
  const { response, load } = influences
  const known = [
    response === undefined ? [] : responseWords(response),
    load === undefined ? [] : `load ${round(load)}`,
  ].flat()
  if (known.length > 0) return `nothing speaks against it (${known.join('; ')})`
  return isWhole ? baseWhy : 'nothing speaks against it'
}

function wordsAgainst(influences: Influences): string[] {
  const { response, load, loadFactor, loadTarget, faultRate, faultFactor, refusalFactor, growth, capacity } = influences
  const words: string[] = []
  if (response !== undefined && response.factor < 1) words.push(responseWords(response))
  if (load !== undefined && loadFactor < 1) words.push(`load ${round(load)}, target ${round(loadTarget)}`)
  if (faultFactor < 1) words.push(`${percent(faultRate)} of its requests fail`)
  if (refusalFactor < 1) words.push('it refuses far more than the others')
  if (capacity !== 1) words.push(`takes ${round(capacity)} times what its base weight says`)
  if (growth < 1) words.push(`slow start at ${percent(growth)}`)
  return words
}

/** Why a base weight is what it is; `before`: the row of the list that had another. */
export function baseWords(record: ProxyRecord, before?: ProxyRecord): string {
  const { operatorWeight, weight, origin, actor } = record
  if (operatorWeight !== undefined) return `base weight set to ${operatorWeight} by ${actor}`
  if (before?.operatorWeight !== undefined) return `base weight back to ${weight} by ${actor}`
  if (before !== undefined && origin === 'config') return `base weight ${weight} in the configuration`
  return origin === 'config' ? 'as configured' : `added by ${actor}`
}

/** Joins what brought a proxy where it is and what is to be said besides: none of them has a semicolon of its own. */
export function join(cause: string, besides: string): string {
  return `${cause}; ${besides}`
}

/** The first of what was joined. */
export function causeIn(reason: string): string {
  return reason.split('; ')[0] ?? reason
}

function responseWords({ valueMs, poolMs }: ResponseFactor): string {
  return `response time ${round(valueMs)} ms, pool ${round(poolMs)} ms`
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`
}

/** Two digits behind the point for small numbers, none for large ones. */
function round(value: number): string {
  return String(Number(value >= 10 ? value.toFixed(0) : value.toFixed(value >= 1 ? 1 : 2)))
}
