import type { WeightTable } from '@siplb/contracts'

export interface RowParts {
  readonly id: string
  readonly uri: string
  readonly weight?: number
  readonly state?: WeightTable['proxies'][number]['state']
  readonly tier?: number
}

/** A weight table as a weigher writes it. */
export function weightTable(rows: readonly RowParts[], parts: Partial<Omit<WeightTable, 'proxies'>> = {}): WeightTable {
  const proxies = rows.map(({ id, uri, weight = 100, state = 'up', tier = 1 }) => ({
    ...{ id, uri, tier, weight, state, baseWeight: 100, prevWeight: weight },
    ...{ restricted: false, reason: 'as the test wants it', signals: {} },
  }))
  const head = { pool: 'default', epoch: 1, seq: 1, prevSeq: 0, writer: 'weigher-1', policy: 'least-work' } as const
  return { ...head, strict: false, panic: false, costs: {}, proxies, ...parts }
}
