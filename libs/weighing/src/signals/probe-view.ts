import type { ResponseTime } from '@siplb/contracts'

/** What one prober (or program) last found at one proxy. Instants are monotonic milliseconds. */
export interface ProbeView {
  readonly at: number
  readonly answeredAt: number | undefined
  readonly answersInRow: number
  /** Lost or refused ones. */
  readonly lossesInRow: number
  /** Of the first loss in that row. */
  readonly failingSince: number
  readonly isRefused: boolean
  /** Answers in a row that say 500, 503 or 504. */
  readonly faultsInRow: number
}

export const newProbeView: ProbeView = {
  at: Number.NEGATIVE_INFINITY,
  answeredAt: undefined,
  answersInRow: 0,
  lossesInRow: 0,
  failingSince: 0,
  isRefused: false,
  faultsInRow: 0,
}

export function probed(view: ProbeView, result: ResponseTime, now: number): ProbeView {
  if (result.outcome === 'answered') return answered(view, result, now)
  if (result.doubtful) return view // the prober was late or could not send: no word about the proxy
  const isRefused = result.outcome === 'refused'
  // Where probes were lost before, a refusal is something new.
  const isNew = view.lossesInRow === 0 || (isRefused && !view.isRefused)
  return {
    ...view,
    at: now,
    answersInRow: 0,
    lossesInRow: view.lossesInRow + 1,
    failingSince: isNew ? now : view.failingSince,
    isRefused,
  }
}

export function isFailing(view: ProbeView): boolean {
  return view.lossesInRow > 0
}

/** What RFC 6076 counts as failures of the server, as far as a probe can see it. */
export function isFaultStatus(status: number | undefined): boolean {
  return status === 500 || status === 503 || status === 504
}

function answered(view: ProbeView, { status }: ResponseTime, now: number): ProbeView {
  return {
    at: now,
    answeredAt: now,
    answersInRow: view.answersInRow + 1,
    lossesInRow: 0,
    failingSince: 0,
    isRefused: false,
    faultsInRow: isFaultStatus(status) ? view.faultsInRow + 1 : 0,
  }
}
