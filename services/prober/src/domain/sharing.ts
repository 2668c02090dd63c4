import { fractionOf } from './hash.ts'

/**
 * Who probes what, when several probers run. Each says every second that it lives, and each works the shares out for itself:
 * the same living probers give the same shares, and one that goes leaves all others' shares as they are (rendezvous hashing:
 * Thaler, Ravishankar, 1998). While views differ a proxy is probed twice or, at most until the dead are found out, not at all.
 */
export type Beats = ReadonlyMap<string, Beat>

interface Beat {
  /** Tells one sign of life from a repetition of it. */
  readonly revision: number
  readonly heardAt: number
  /** False for the first sign of life: it may have lain in the store for years. */
  readonly isFresh: boolean
}

const ALIVE_MS = 3000
/**
 * Whoever lives beats again within a second. Until then the first sign of life is believed: else a prober that comes would
 * probe all proxies beside the others, and they its own ones beside it.
 */
const UNPROVEN_MS = 1500
const FORGOTTEN_MS = 60_000

export function beatHeard(beats: Beats, prober: string, revision: number, now: number): Beats {
  const known = beats.get(prober)
  if (known?.revision === revision) return beats
  return new Map(beats).set(prober, { revision, heardAt: now, isFresh: known !== undefined })
}

export function beatRemoved(beats: Beats, prober: string): Beats {
  const rest = new Map(beats)
  rest.delete(prober)
  return rest
}

/** Those of whom nothing was heard for a minute: nobody misses their keys in the store. */
export function silentProbers(beats: Beats, self: string, now: number): readonly string[] {
  return [...beats].flatMap(([prober, { heardAt }]) =>
    prober !== self && now - heardAt > FORGOTTEN_MS ? [prober] : [],
  )
}

/** Those heard of within 3 s, those heard of once within 1.5 s, and ourselves; sorted. With the bus gone that is soon we alone: nobody can tell, so all is probed. */
export function livingProbers(beats: Beats, self: string, now: number): readonly string[] {
  const living = new Set([self])
  for (const [prober, { heardAt, isFresh }] of beats)
    if (now - heardAt <= (isFresh ? ALIVE_MS : UNPROVEN_MS)) living.add(prober)
  return [...living].sort()
}

/** The probers that look at this proxy: the first `count` by rendezvous, all of them where fewer are alive. */
export function probersOf(proxyKey: string, probers: readonly string[], count: number): readonly string[] {
  if (count >= probers.length) return probers
  const ranked = probers.map((prober) => ({ prober, score: fractionOf(`${prober}/${proxyKey}`) }))
  ranked.sort((a, b) => b.score - a.score)
  return ranked.slice(0, count).map(({ prober }) => prober)
}
