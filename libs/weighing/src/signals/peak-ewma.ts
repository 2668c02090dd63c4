/**
 * Response time that rises at once and comes down slowly (Finagle's peak EWMA): a proxy that became slow is believed at
 * once, one that became fast has to prove it. `at` and `now` are monotonic milliseconds.
 */
export interface PeakEwma {
  readonly valueMs: number
  readonly at: number
}

export function observe(prior: PeakEwma | undefined, valueMs: number, now: number, decayMs: number): PeakEwma {
  if (prior === undefined) return { valueMs, at: now }
  if (now < prior.at) return prior // a late sample tells nothing new
  if (valueMs >= prior.valueMs) return { valueMs, at: now }
  const kept = Math.exp(-(now - prior.at) / decayMs)
  return { valueMs: prior.valueMs * kept + valueMs * (1 - kept), at: now }
}
