import { describe, expect, it } from 'vitest'
import type { WeightRow, WeightTable } from '@siplb/contracts'
import { changeLines, statusBlock, statusLine, type Standing } from '../../screen/status.ts'

const row = (id: string, weight: number, more: Partial<WeightRow> = {}): WeightRow => ({
  id,
  uri: `sip:${id}`,
  tier: 1,
  baseWeight: 100,
  weight,
  prevWeight: weight,
  state: 'up',
  restricted: false,
  reason: 'as configured',
  signals: {},
  ...more,
})

const table = (proxies: WeightRow[], pool = 'default'): WeightTable => ({
  pool,
  epoch: 1,
  seq: 2,
  prevSeq: 1,
  writer: 'w',
  policy: 'least-work',
  strict: false,
  panic: false,
  costs: {},
  proxies,
})

const standing = (tables: WeightTable[], requests: Record<string, number> = {}): Standing => ({
  calls: { started: 240, completed: 238, failed: 2, failures: { '503': 2 } },
  tables,
  requestsOf: (_, proxy) => requests[proxy] ?? 0,
})

describe('how things stand', () => {
  it('is one line of calls and proxies', () => {
    const px1 = row('px1', 75, { signals: { responseTimeMs: 6.24 } })
    const line = statusLine(standing([table([px1, row('px2', 25, { state: 'suspect' })])], { px1: 30, px2: 10 }))
    expect(line.split(' | ')).toEqual([
      'calls 240 started, 238 completed, 2 failed (2 × 503)',
      'px1 up, weight 75 (75 %), 75 % of requests, 6.2 ms',
      'px2 suspect, weight 25 (25 %), 25 % of requests, no time yet',
    ])
  })

  it('is a table on a terminal', () => {
    const px1 = row('px1', 100, { signals: { responseTimeMs: 61.4 } })
    expect(statusBlock(standing([table([px1])], { px1: 1 }))).toEqual([
      '',
      'calls 240 started, 238 completed, 2 failed (2 × 503)',
      'proxy   state   weight   share   requests   response time',
      'px1     up         100   100 %      100 %           61 ms',
    ])
  })

  it('shares out nothing where there is nothing', () => {
    expect(statusLine(standing([table([row('px1', 0, { state: 'down' })])]))).toContain(
      'px1 down, weight 0 (0 %), 0 % of',
    )
  })

  it('tells the pool of a proxy unless it is the default one, and leaves out what is too much', () => {
    const many = Array.from({ length: 23 }, (_, i) => row(`gw${i}`, 1))
    const parts = statusLine({ ...standing([table(many, 'gateways')]), calls: undefined }).split(' | ')
    expect(parts).toHaveLength(21)
    expect(parts[0]).toMatch(/^gateways\/gw0 up/)
    expect(parts.at(-1)).toBe('and 3 more')
  })
})

it('a new table tells the weights that moved, with their reasons', () => {
  const px3 = row('px3', 48.04, { prevWeight: 62.57, reason: 'response time 61 ms, pool 6 ms' })
  expect(changeLines(table([row('px1', 100), px3]))).toEqual([
    'weight of px3 62.6 → 48: response time 61 ms, pool 6 ms',
  ])
})
