import type { RouteFacts, WeightRow, WeightTable } from '@siplb/contracts'

/** A table of proxies with these weights. */
export function tableOf(weights: Readonly<Record<string, number>>, more: Partial<WeightTable> = {}): WeightTable {
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
    proxies: Object.entries(weights).map(([id, weight]) => rowOf(id, weight)),
    ...more,
  }
}

function rowOf(id: string, weight: number): WeightRow {
  const reason = weight === 0 ? 'down: no answer to 4 probes' : 'first sample'
  const state = weight === 0 ? 'down' : 'up'
  const common = { tier: 1, baseWeight: 100, prevWeight: 100, restricted: false, signals: {} }
  return { ...common, id, uri: `sip:${id}.example.com`, weight, state, reason }
}

export function factsOf(id: string, more: Partial<RouteFacts> = {}): RouteFacts {
  return {
    id,
    method: 'INVITE',
    requestUri: 'sip:alice@example.com',
    callId: `${id}@192.0.2.1`,
    from: 'sip:bob@example.org',
    to: 'sip:alice@example.com',
    source: '192.0.2.1',
    ...more,
  }
}
