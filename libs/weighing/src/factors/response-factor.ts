import { lowerMedian } from '../signals/median.ts'
import type { LevelNow } from '../signals/response-level.ts'

/** Differences under this part of the median change nothing either: of 200 ms, 5 ms are noise. */
const RELATIVE_TOLERANCE = 0.25
/** Who takes less than this part of what the others take is slow all the same. */
const LEAST_CAPACITY = 0.4
/** How fast the factor follows once a proxy is slow at its best. */
const GATE_GAIN = 2
/**
 * Up to so many times what is allowed, a proxy gets as much less as it is slower. Beyond, it soon gets no more than the floor: even
 * one request in a hundred that takes ten times as long is what callers notice (the 99th percentile).
 */
const BEARABLE = 3
/** So many requests of real traffic, faded over ten seconds, outweigh the probes wholly. */
const FULL_EVIDENCE = 10
/** A median over the pool is not held against proxies with fewer requests than this. */
const LEAST_EVIDENCE = 3

/** One kind of response time of one proxy. */
export interface Measured extends LevelNow {
  /** Requests behind it. */
  readonly evidence: number
}

/** What is known of one proxy's response time: from probes, and by method from real traffic. */
export interface ResponseEvidence {
  readonly probe: LevelNow | undefined
  readonly live: ReadonlyMap<string, Measured>
  /** What it is known to take, against its base weight: who has half the capacity may take twice the time. */
  readonly capacity: number
}

export interface ResponseFactor {
  readonly factor: number
  /** The response time that decides it, and the median that this is held against. */
  readonly valueMs: number
  readonly poolMs: number
}

/** As it is followed, and when that was last done. */
export interface FollowedResponse extends ResponseFactor {
  readonly at: number
}

export interface ResponseRules {
  readonly toleranceMs: number
  readonly floor: number
}

/**
 * f: 1 up to the pool's median plus tolerance, then falling as `(median + tolerance) / value`, so that a proxy ten times slower
 * gets about a tenth. Like is held against like: probes against probes, INVITE against INVITE. Undefined for a proxy of which
 * nothing can be said: without figures, or with such as no other proxy of the pool has.
 *
 * Response times vary, in every queue, so a proxy counts as slow only when it is slower at its best than the others are on
 * their slow side: proxies that are alike stay alike, and keep exactly their base weights.
 */
export function responseFactors(
  pool: readonly ResponseEvidence[],
  rules: ResponseRules,
): (ResponseFactor | undefined)[] {
  const mediansOf = pool.length > 1 ? mediansOfSome : mediansOfAny
  const methods = [...new Set(pool.flatMap((proxy) => [...proxy.live.keys()]))]
  const probeMedians = mediansOf(pool.map((proxy) => proxy.probe))
  const medians = new Map(methods.map((method) => [method, mediansOf(pool.map((proxy) => enough(proxy, method)))]))
  return pool.map((proxy) => {
    const terms: Term[] = []
    for (const method of methods) {
      const own = enough(proxy, method)
      const poolOf = medians.get(method)
      if (own !== undefined && poolOf !== undefined)
        terms.push({ capacity: proxy.capacity, own, pool: poolOf, evidence: own.evidence })
    }
    const evidence = FULL_EVIDENCE - terms.reduce((sum, term) => sum + term.evidence, 0)
    if (proxy.probe !== undefined && probeMedians !== undefined && evidence > 0) {
      terms.push({ capacity: proxy.capacity, own: proxy.probe, pool: probeMedians, evidence })
    }
    return combine(terms, rules)
  })
}

/** How much slower than allowed, as a part of what is allowed; 0 in the normal range. */
function beyond({ own, pool, capacity }: Term, toleranceMs: number): number {
  const part = Math.min(1, Math.max(LEAST_CAPACITY, capacity))
  const allowed = (ms: number) => (ms + Math.max(toleranceMs, RELATIVE_TOLERANCE * ms)) / part
  const slowness = own.typicalMs / allowed(pool.typicalMs) - 1
  const gate = GATE_GAIN * (own.lastingMs / allowed(pool.crestMs) - 1)
  return Math.max(0, Math.min(slowness, gate))
}

/** Of the pool: the lower medians of what is typical, and of what is usual on the slow side. */
interface Medians {
  readonly typicalMs: number
  readonly crestMs: number
}

interface Term {
  readonly own: LevelNow
  readonly pool: Medians
  readonly capacity: number
  readonly evidence: number
}

function combine(terms: readonly Term[], { toleranceMs, floor }: ResponseRules): ResponseFactor | undefined {
  const total = terms.reduce((sum, { evidence }) => sum + evidence, 0)
  const parts = terms.map((term) => ({
    ...term,
    part: (term.evidence / total) * beyond(term, toleranceMs),
  }))
  const [main] = parts.toSorted((a, b) => b.part - a.part || b.evidence - a.evidence)
  if (main === undefined) return undefined
  const times = 1 + parts.reduce((sum, { part }) => sum + part, 0)
  const factor = Math.max(floor, (1 / times) * Math.min(1, BEARABLE / times) ** 2)
  return { factor, valueMs: main.own.typicalMs, poolMs: main.pool.typicalMs }
}

function enough(proxy: ResponseEvidence, method: string): Measured | undefined {
  const measured = proxy.live.get(method)
  return measured !== undefined && measured.evidence >= LEAST_EVIDENCE ? measured : undefined
}

/** Undefined while there is nothing to compare, as when all others are new: who was slow before is no quicker for that. */
function mediansOfSome(levels: readonly (LevelNow | undefined)[]): Medians | undefined {
  return levels.filter((level) => level !== undefined).length < 2 ? undefined : mediansOfAny(levels)
}

function mediansOfAny(levels: readonly (LevelNow | undefined)[]): Medians | undefined {
  const known = levels.filter((level) => level !== undefined)
  const typicalMs = lowerMedian(known.map((level) => level.typicalMs))
  const crestMs = lowerMedian(known.map((level) => level.crestMs))
  return typicalMs === undefined || crestMs === undefined ? undefined : { typicalMs, crestMs }
}
