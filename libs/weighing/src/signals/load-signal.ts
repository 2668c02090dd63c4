import type { Load } from '@siplb/contracts'

/** Load of a proxy by who says it. Each source has its own average and its own expiry. */
export type LoadSignal = ReadonlyMap<string, SourceLoad>

interface SourceLoad {
  readonly value: number
  /** When the figure was taken: its receipt less its age. */
  readonly at: number
  readonly expiresAt: number
}

/** A bound on memory only: who says more is ignored. */
const MOST_SOURCES = 16

/** EWMA over irregular samples; the first one, and the first after an expiry, counts whole. */
export function observeLoad(prior: LoadSignal, report: Load, now: number, decayMs: number): LoadSignal {
  const known = prior.get(report.source)
  const at = now - report.ageMs
  const expiresAt = now + report.expiresInMs
  if (known !== undefined && at < known.at) return prior // an older figure that was overtaken
  const isFresh = known !== undefined && now < known.expiresAt
  const kept = isFresh ? Math.exp(-(at - known.at) / decayMs) : 0
  const value = isFresh ? known.value * kept + report.load * (1 - kept) : report.load
  const living = [...prior].filter(([source, said]) => source !== report.source && now < said.expiresAt)
  return new Map([[report.source, { value, at, expiresAt }], ...living.slice(0, MOST_SOURCES - 1)])
}

/** The highest unexpired figure: of two that disagree, the careful one. Undefined when nobody says anything. */
export function loadAt(signal: LoadSignal, now: number): number | undefined {
  let highest: number | undefined
  for (const { value, expiresAt } of signal.values()) {
    if (now < expiresAt && (highest === undefined || value > highest)) highest = value
  }
  return highest
}
