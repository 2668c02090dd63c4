/**
 * Keeps the loop of weights and measurements calm.
 *
 * D1. A factor moves at most `maxStep` per tick, however often it is worked out: what was not used is saved up to two steps,
 *     so that the first news after a quiet time is followed at once, and far enough to be told at once.
 * D2. Small departures from 1 are noise: it is left only for three dead bands, and taken up again within one. So the
 *     weights of proxies that are alike are exactly their base weights.
 */
export interface Damped {
  readonly value: number
  /** How far it may move now. */
  readonly allowance: number
  readonly at: number
}

const SAVED_STEPS = 2

export interface DampingRules {
  readonly maxStep: number
  readonly tickMs: number
  readonly deadBand: number
}

export function undamped(value: number, now: number): Damped {
  return { value, allowance: 1, at: now }
}

/** `isHard`: evidence that does not wait, such as faults; the fall is not limited then. */
export function damp(prior: Damped, wanted: number, now: number, rules: DampingRules, isHard = false): Damped {
  const { maxStep, tickMs, deadBand } = rules
  const allowance = Math.min(SAVED_STEPS * maxStep, prior.allowance + (maxStep * Math.max(0, now - prior.at)) / tickMs)
  const isNoise = wanted >= 1 - (prior.value === 1 ? 3 : 1) * deadBand
  const target = isNoise ? 1 : wanted
  const distance = target - prior.value
  if (isHard && distance < 0) return { value: target, allowance: 0, at: now }
  const moved = Math.abs(distance) <= allowance ? target : prior.value + Math.sign(distance) * allowance
  return { value: moved, allowance: allowance - Math.abs(moved - prior.value), at: now }
}
