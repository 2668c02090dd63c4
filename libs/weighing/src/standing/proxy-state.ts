import type { Verdict } from './verdict.ts'

/**
 * A proxy's health. Instants are monotonic milliseconds.
 *
 *   unknown → up ⇄ suspect → down → recovering → up        ejected → recovering
 *
 * P1. Unknown takes its full part: "no data" never means down, and a first start is no recovery.
 * P2. Down and ejected are left only into recovering, by slow start.
 * P3. A command alone makes nobody well: who was down before it counts as up only when it answers.
 * P4. Who goes down again and again stays down longer each time, and grows more slowly: a flapping proxy disturbs little.
 */
export interface Standing {
  readonly health: 'unknown' | 'up' | 'suspect' | 'down' | 'recovering' | 'ejected'
  readonly since: number
  /** Why, in words, and who: the weigher, or the operator of a command. */
  readonly cause: string
  readonly actor: string
  /** Of down and ejected: the earliest return. */
  readonly outUntil: number
  /** When it last went out or came back. */
  readonly lastOutAt: number
  /** Downs in quick succession. */
  readonly flaps: number
  /** Ejections in quick succession. */
  readonly ejections: number
  /** Of recovering: how long the slow start takes. */
  readonly growMs: number
  /** An operator lets it take part again after it was down, and nobody had an answer yet. */
  readonly isUnproven: boolean
}

export type StandingEvent =
  | { readonly kind: 'judged'; readonly verdict: Verdict }
  /** `forMs`: as long as it said itself. */
  | { readonly kind: 'ejected'; readonly cause: string; readonly forMs?: number | undefined }
  /** The operator lets it take part again. */
  | { readonly kind: 'enabled'; readonly actor: string }

export interface StandingRules {
  readonly slowStartMs: number
  readonly ejectionBaseMs: number
  readonly ejectionMaxMs: number
}

const weigher = 'weigher'

export const newStanding: Standing = {
  health: 'unknown',
  since: Number.NEGATIVE_INFINITY,
  cause: 'nothing heard of it yet',
  actor: weigher,
  outUntil: Number.NEGATIVE_INFINITY,
  lastOutAt: Number.NEGATIVE_INFINITY,
  flaps: 0,
  ejections: 0,
  growMs: 0,
  isUnproven: false,
}

/** A proxy that was only restarted has lost its calls anyway, and gains nothing from being back sooner. */
const SHORTEST_DOWN_MS = 3000
const LONGEST_DOWN_MS = 60_000
/** Slow starts are stretched up to this many times. */
const MOST_STRETCH = 8
/** A proxy that was well for so many slow starts begins anew. */
const FORGIVEN_AFTER = 4

export function step(prior: Standing, event: StandingEvent, now: number, rules: StandingRules): Standing {
  switch (event.kind) {
    case 'judged':
      return judged(prior, event.verdict, now, rules)
    case 'ejected':
      return event.forMs === undefined ? eject(prior, event.cause, now, rules) : standAside(prior, event.forMs, now)
    case 'enabled':
      return enable(prior, event.actor, now, rules)
  }
}

function judged(prior: Standing, verdict: Verdict, now: number, rules: StandingRules): Standing {
  switch (prior.health) {
    case 'unknown':
    case 'up':
    case 'suspect':
      return inUse(prior, verdict, now, rules)
    case 'recovering':
      if (verdict.kind === 'dead') return fail(prior, verdict.cause, now, rules)
      if (now - prior.since >= prior.growMs) return to(prior, 'up', 'grown to its full weight', now)
      return prior.isUnproven && isAnswering(verdict) ? { ...prior, isUnproven: false } : prior
    case 'down': {
      const isBack = verdict.kind === 'alive' && verdict.steadyAt > prior.since && now >= prior.outUntil
      return isBack ? recover(prior, 'probes are answered again', now, rules) : prior
    }
    case 'ejected':
      if (verdict.kind === 'dead') return fail(prior, verdict.cause, now, rules)
      return now >= prior.outUntil ? recover(prior, 'its time out is over', now, rules) : prior
  }
}

function inUse(prior: Standing, verdict: Verdict, now: number, rules: StandingRules): Standing {
  switch (verdict.kind) {
    case 'dead':
      return fail(prior, verdict.cause, now, rules)
    case 'alive':
      return prior.health === 'up' ? prior : to(prior, 'up', 'it answers', now)
    case 'failing':
      return doubt(prior, verdict, now)
    case 'none':
      return prior
  }
}

function enable(prior: Standing, actor: string, now: number, rules: StandingRules): Standing {
  const isUnproven = prior.isUnproven || prior.health === 'down'
  return { ...recover(prior, `enabled by ${actor}`, now, rules), actor, isUnproven }
}

function isAnswering(verdict: Verdict): boolean {
  return verdict.kind === 'alive' || (verdict.kind === 'failing' && verdict.isAnswering)
}

function doubt(prior: Standing, { cause, isAnswering }: Verdict & { kind: 'failing' }, now: number): Standing {
  if (prior.health === 'suspect') return prior.cause === cause ? prior : { ...prior, cause }
  return prior.health === 'up' || isAnswering ? to(prior, 'suspect', cause, now) : prior
}

function fail(prior: Standing, cause: string, now: number, rules: StandingRules): Standing {
  const isForgiven = now - prior.lastOutAt > FORGIVEN_AFTER * rules.slowStartMs
  const again = prior.isUnproven ? prior.flaps : prior.flaps + 1 // who never answered never came back
  const flaps = isForgiven ? 1 : again
  const outUntil = now + Math.min(LONGEST_DOWN_MS, SHORTEST_DOWN_MS * 2 ** (flaps - 1))
  return { ...to(prior, 'down', cause, now), flaps, outUntil, lastOutAt: now }
}

function eject(prior: Standing, cause: string, now: number, rules: StandingRules): Standing {
  const isForgiven = now - prior.lastOutAt > rules.ejectionMaxMs
  const ejections = isForgiven ? 1 : prior.ejections + 1
  const forMs = Math.min(rules.ejectionMaxMs, rules.ejectionBaseMs * 2 ** (ejections - 1))
  const words = `out for ${Math.round(forMs / 1000)} s: ${cause}`
  return { ...to(prior, 'ejected', words, now), ejections, outUntil: now + forMs, lastOutAt: now }
}

/** It said how long: that is no failure of which there could be too many. */
function standAside(prior: Standing, forMs: number, now: number): Standing {
  const words = `out for ${Math.round(forMs / 1000)} s: it answers 503 and asks for that time (Retry-After)`
  return { ...to(prior, 'ejected', words, now), outUntil: now + forMs, lastOutAt: now }
}

function recover(prior: Standing, cause: string, now: number, rules: StandingRules): Standing {
  const stretch = Math.min(MOST_STRETCH, 2 ** Math.max(0, prior.flaps - 1))
  return { ...to(prior, 'recovering', cause, now), growMs: rules.slowStartMs * stretch, lastOutAt: now }
}

function to(prior: Standing, health: Standing['health'], cause: string, now: number): Standing {
  return { ...prior, health, since: now, cause, actor: weigher, isUnproven: false }
}
