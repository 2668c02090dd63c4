import type { Sample, World } from './world.ts'

/** A stretch of simulated time, in milliseconds, its end excluded. */
export interface Span {
  readonly from: number
  readonly to: number
}

export function quantile(values: readonly number[], p: number): number {
  const sorted = Float64Array.from(values).toSorted()
  return sorted[Math.floor(p * (sorted.length - 1))] ?? Number.NaN
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

/** Response times of what arrived in the span: of all requests, or of one method. */
export function responseTimes({ samples }: World, span: Span, method?: string): number[] {
  const isMeant = (one: Sample) => isIn(span, one.at) && (method === undefined || one.method === method)
  return samples.filter(isMeant).map(({ ms }) => ms)
}

/** The part of the new calls that was sent to this proxy first. */
export function share({ chosen }: World, proxy: string, span: Span): number {
  let all = 0
  let its = 0
  for (const one of chosen) {
    if (!isIn(span, one.at)) continue
    all += 1
    if (one.proxy === proxy) its += 1
  }
  return all === 0 ? 0 : its / all
}

/** Consecutive spans of `ms`. */
export function spans({ from, to }: Span, ms: number): Span[] {
  return Array.from({ length: Math.floor((to - from) / ms) }, (_, i) => ({
    from: from + i * ms,
    to: from + (i + 1) * ms,
  }))
}

function isIn({ from, to }: Span, at: number): boolean {
  return at >= from && at < to
}
