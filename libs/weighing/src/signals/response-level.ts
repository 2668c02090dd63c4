import { observe, type PeakEwma } from './peak-ewma.ts'
import { crest, lasting, remember, typical, type Recent } from './persistence.ts'

/** A response time in three figures, each for its purpose; absent while there were fewer than three values. */
export interface ResponseLevel {
  readonly recent: Recent
  readonly levels: { readonly typical: PeakEwma; readonly lasting: PeakEwma } | undefined
}

export const noResponseLevel: ResponseLevel = { recent: [], levels: undefined }

/** What of it counts now, in milliseconds. */
export interface LevelNow {
  /** How slow it is. */
  readonly typicalMs: number
  /** How slow it is at its best: whether it is slow at all. */
  readonly lastingMs: number
  /** How slow it is at its worst, less one accident: what the others are held against. */
  readonly crestMs: number
}

export function observeLevel(prior: ResponseLevel, valueMs: number, now: number, decayMs: number): ResponseLevel {
  const recent = remember(prior.recent, valueMs)
  const typicalMs = typical(recent)
  const lastingMs = lasting(recent)
  if (typicalMs === undefined || lastingMs === undefined) return { recent, levels: prior.levels }
  return {
    recent,
    levels: {
      typical: observe(prior.levels?.typical, typicalMs, now, decayMs),
      lasting: observe(prior.levels?.lasting, lastingMs, now, decayMs),
    },
  }
}

/** It is known to be at least as slow as this. */
export function raised({ recent, levels }: ResponseLevel, valueMs: number, now: number): ResponseLevel {
  const raise = (prior: PeakEwma | undefined) => ({ valueMs: Math.max(valueMs, prior?.valueMs ?? 0), at: now })
  return { recent, levels: { typical: raise(levels?.typical), lasting: raise(levels?.lasting) } }
}

export function levelNow({ recent, levels }: ResponseLevel): LevelNow | undefined {
  if (levels === undefined) return undefined
  const typicalMs = levels.typical.valueMs
  return { typicalMs, lastingMs: levels.lasting.valueMs, crestMs: crest(recent) ?? typicalMs }
}
