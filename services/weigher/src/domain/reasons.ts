import type { ResponseFactor } from './response-factor.ts'

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
}

/** In words that an operator understands: "response time 91 ms, pool 22 ms; load 0.85, target 0.7". `isWhole`: it has its base weight. */
export function wordsFor(influences: Influences, isWhole: boolean): string {
  const against = isWhole ? [] : wordsAgainst(influences)
  if (against.length > 0) return against.join('; ')
  const { response, load } = influences
  const known = [
    response === undefined ? [] : responseWords(response),
    load === undefined ? [] : `load ${round(load)}`,
  ].flat()
  if (known.length > 0) return `nothing speaks against it (${known.join('; ')})`
  return isWhole ? 'as configured' : 'nothing speaks against it'
}

function wordsAgainst(influences: Influences): string[] {
  const { response, load, loadFactor, loadTarget, faultRate, faultFactor, refusalFactor, growth } = influences
  const words: string[] = []
  if (response !== undefined && response.factor < 1) words.push(responseWords(response))
  if (load !== undefined && loadFactor < 1) words.push(`load ${round(load)}, target ${round(loadTarget)}`)
  if (faultFactor < 1) words.push(`${percent(faultRate)} of its requests fail`)
  if (refusalFactor < 1) words.push('it refuses far more than the others')
  if (growth < 1) words.push(`slow start at ${percent(growth)}`)
  return words
}

/** "62 → 48: response time 91 ms, pool 22 ms" */
export function moveWords(from: number, to: number, why: string): string {
  return `${round(from)} → ${round(to)}: ${why}`
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
