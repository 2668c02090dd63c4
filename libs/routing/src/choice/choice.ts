import type { Candidate } from '@siplb/contracts'
import type { Hash } from './hash.ts'

/** One proxy of a snapshot, with all that a choice needs of it worked out. */
export interface Entry {
  /** How it stands in an answer: drawn, or there only should the others fail. */
  readonly candidate: Candidate
  readonly fallback: Candidate
  readonly weight: number
  readonly baseWeight: number
  /** A candidate only when drawn first. */
  readonly isRestricted: boolean
  readonly hash: Hash
}

/** Proxies that are drawn by their weights. */
export interface Urn {
  readonly entries: readonly Entry[]
  /** The entry that `u` in [0, 1) falls on; undefined in an empty urn. */
  draw(u: number): Entry | undefined
}

/** What every policy chooses from. */
export interface Choices {
  /** All that can be drawn first: of the active tiers, with a weight. */
  readonly urn: Urn
  /** Where fallbacks come from, the best first: the active tiers, then each further one; proxies that are restricted last. */
  readonly fallbackUrns: readonly Urn[]
}

/** So many distinct proxies an answer has, where the pool has them: a first choice that fails, and one more. */
export const WANTED = 3
