import type { Candidate } from '@siplb/contracts'
import type { Target } from './branch.ts'

export interface Known {
  readonly candidate: Candidate
  readonly target: Target
}

/** More than any table has. */
const MOST = 100_000

/**
 * One object for each proxy, however often it is chosen: what was decided is remembered by the hundred thousand, and a choice that
 * came from location is made of objects and texts of its own.
 */
export class KnownProxies {
  readonly #pools = new Map<string, Map<string, Known>>()
  #count = 0

  /** Each as a candidate and as a target, in the same order. */
  of(pool: string, candidates: readonly Candidate[]): Known[] {
    const known = this.#poolOf(pool)
    return candidates.map((candidate) => this.#knownOf(known, pool, candidate))
  }

  target(pool: string, proxy: string, uri: string): Target {
    const known = this.#pools.get(pool)?.get(proxy)
    return known?.candidate.uri === uri ? known.target : targetOf(pool, { proxy, uri })
  }

  #poolOf(pool: string): Map<string, Known> {
    if (this.#count >= MOST) {
      this.#pools.clear()
      this.#count = 0
    }
    let known = this.#pools.get(pool)
    if (known === undefined) {
      known = new Map()
      this.#pools.set(pool, known)
    }
    return known
  }

  #knownOf(pool: Map<string, Known>, name: string, candidate: Candidate): Known {
    const { proxy, uri, weight, fallback } = candidate
    const known = pool.get(proxy)
    const isSamePlace = known?.candidate.uri === uri
    if (isSamePlace && known.candidate.weight === weight && known.candidate.fallback === fallback) return known
    if (known === undefined) this.#count += 1
    const fresh = { candidate, target: isSamePlace ? known.target : targetOf(name, candidate) }
    pool.set(proxy, fresh)
    return fresh
  }
}

function targetOf(pool: string, { proxy, uri }: Pick<Candidate, 'proxy' | 'uri'>): Target {
  return { kind: 'proxy', pool, proxy, uri }
}
