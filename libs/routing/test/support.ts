import type { RouteFacts, WeightRow, WeightTable } from '@siplb/contracts'

/** Chance that is the same in every run: Marsaglia's xorshift (2003). */
export function seeded(seed: number): () => number {
  let state = seed | 1
  return () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
}

export function row(id: string, weight: number, more: Partial<WeightRow> = {}): WeightRow {
  return {
    id,
    uri: `sip:${id}.example.com`,
    tier: 1,
    baseWeight: weight,
    weight,
    prevWeight: weight,
    state: 'up',
    restricted: false,
    reason: '',
    signals: {},
    ...more,
  }
}

export function table(proxies: WeightRow[], more: Partial<WeightTable> = {}): WeightTable {
  return {
    pool: 'default',
    epoch: 1,
    seq: 1,
    prevSeq: 0,
    writer: 'weigher-1',
    policy: 'least-work',
    strict: false,
    panic: false,
    costs: {},
    proxies,
    ...more,
  }
}

/** Proxies px0, px1, … of these weights. */
export function rows(...weights: number[]): WeightRow[] {
  return weights.map((weight, i) => row(`px${i}`, weight))
}

export function facts(more: Partial<RouteFacts> = {}): RouteFacts {
  return {
    id: '1',
    method: 'INVITE',
    requestUri: 'sip:alice@example.com',
    callId: 'call-1',
    from: 'sip:bob@example.org',
    to: 'sip:alice@example.com',
    source: '192.0.2.1',
    ...more,
  }
}

export function countOf<T>(times: number, next: (i: number) => T): Map<T, number> {
  const counts = new Map<T, number>()
  for (let i = 0; i < times; i++) {
    const value = next(i)
    counts.set(value, (counts.get(value) ?? 0) + 1)
  }
  return counts
}

/** How many standard deviations of a multinomial draw the worst of the counts is off. */
export function worstSigma(
  counts: ReadonlyMap<string | undefined, number>,
  weights: ReadonlyMap<string, number>,
): number {
  const total = sum(weights.values())
  const times = sum(counts.values())
  return Math.max(
    ...[...weights].map(([id, weight]) => {
      const share = weight / total
      return Math.abs((counts.get(id) ?? 0) - times * share) / Math.sqrt(times * share * (1 - share))
    }),
  )
}

/** The furthest that a count is from its part by weight, as a part of that. */
export function worstDeviation(
  counts: ReadonlyMap<string | undefined, number>,
  weights: ReadonlyMap<string, number>,
): number {
  const total = sum(weights.values())
  const times = sum(counts.values())
  return Math.max(
    ...[...weights].map(([id, weight]) => Math.abs((counts.get(id) ?? 0) / ((times * weight) / total) - 1)),
  )
}

export function weightsOf(proxies: readonly WeightRow[]): Map<string, number> {
  return new Map(proxies.map(({ id, weight }) => [id, weight]))
}

function sum(values: Iterable<number>): number {
  return [...values].reduce((total, value) => total + value, 0)
}
