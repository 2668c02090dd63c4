import type { Load, OverloadAsked } from '@siplb/contracts'

/** What a proxy asks of those who send to it (RFC 7339), while it holds. The ingress obeys it; here it is told. */
export interface HeldOverload {
  readonly asked: OverloadAsked
  readonly until: number
}

/** RFC 7339, 4.4: a sequence that is not higher than the last one is old. */
export function observeOverload(
  prior: HeldOverload | undefined,
  { overload }: Load,
  now: number,
): HeldOverload | undefined {
  if (overload === undefined) return prior
  if (prior !== undefined && now < prior.until && overload.seq < prior.asked.seq) return prior
  return { asked: overload, until: now + overload.validityMs }
}

export function overloadAt(held: HeldOverload | undefined, now: number): OverloadAsked | undefined {
  if (held === undefined || now >= held.until) return undefined
  const isNothing = held.asked.algorithm === 'loss' && held.asked.value === 0
  return isNothing ? undefined : held.asked
}

/** "asks for 30 % less" */
export function overloadWords({ algorithm, value }: OverloadAsked): string {
  return algorithm === 'loss' ? `asks for ${value} % less` : `asks for at most ${value} requests per second`
}
