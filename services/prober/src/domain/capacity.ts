import type { LoadReport } from './load-report.ts'

/**
 * Load 0…1 of a count of active transactions. What a proxy can take is rarely written down anywhere; until it is, twice the
 * highest count seen stands for it, so that load alone never thins a proxy that works as hard as it ever did.
 */
export interface JudgedLoad {
  readonly load: number
  /** Highest count seen, this one included. */
  readonly peak: number
  readonly capacity: number | undefined
}

/** Counts beyond are a fault of who counts: a peak of that, and a JSON of infinities, would say nothing any more. */
const LARGEST = 1e12

export function isCredible(report: LoadReport): boolean {
  const { active = 0, capacity = 0 } = report.kind === 'active' ? report : {}
  return active <= LARGEST && capacity <= LARGEST && Object.values(report.details).every(Number.isFinite)
}

/** The operator's figure wins over the proxy's own. `peak`: the highest count seen so far. */
export function judgeLoad(report: LoadReport, configured: number | undefined, peak: number): JudgedLoad {
  if (report.kind === 'load') return { load: report.load, peak, capacity: undefined }
  const newPeak = Math.max(peak, report.active)
  const capacity = configured ?? report.capacity ?? 2 * newPeak
  const share = capacity === 0 ? 0 : Math.min(1, report.active / capacity)
  return { load: Math.max(share, report.atLeast ?? 0), peak: newPeak, capacity }
}
