import { describe, expect, it } from 'vitest'
import type { Frame } from '../src/table/news.ts'
import type { WeighedProxy, Weighing } from '../src/table/weighed-proxy.ts'
import { nextTable, stateChanges, takenOver, withPresentFigures } from '../src/table/weight-table.ts'

const frame: Frame = { pool: 'default', writer: 'w1', policy: 'least-work', strict: false, costs: { INVITE: 1 } }

function weighed(id: string, weight: number, more: Partial<WeighedProxy> = {}): WeighedProxy {
  const fixed = {
    uri: `sip:${id}`,
    tier: 1,
    baseWeight: 100,
    restricted: false,
    why: 'because',
    baseWhy: 'as configured',
    actor: 'weigher',
    signals: {},
  }
  return { ...fixed, id, weight, state: 'up', ...more }
}
const weighing = (...proxies: WeighedProxy[]): Weighing => ({ panic: false, proxies })
const first = nextTable(undefined, frame, weighing(weighed('a', 100), weighed('b', 100)), 3, 0.05)

describe('the next table', () => {
  it('begins each epoch at 1 and counts on within it', () => {
    expect(first).toMatchObject({ epoch: 3, seq: 1, prevSeq: 0 })
    const second = nextTable(first, frame, weighing(weighed('a', 50), weighed('b', 100)), 3, 0.05)
    expect(second).toMatchObject({ epoch: 3, seq: 2, prevSeq: 1 })
    expect(nextTable(second, frame, weighing(), 4, 0.05)).toMatchObject({ epoch: 4, seq: 1, prevSeq: 0 })
  })

  it('says of each change why, and from what to what in figures of their own', () => {
    const why = 'response time 91 ms, pool 22 ms'
    const { proxies } = nextTable(first, frame, weighing(weighed('a', 48, { why }), weighed('b', 100)), 3, 0.05)
    expect(proxies[0]).toMatchObject({
      weight: 48,
      prevWeight: 100,
      reason: 'response time 91 ms, pool 22 ms',
    })
    expect(proxies[1]).toMatchObject({ weight: 100, prevWeight: 100, reason: 'because' })
  })

  it('says who changed a base weight, and what else holds the weight down', () => {
    const baseWhy = 'base weight set to 30 by ann'
    const set = { baseWeight: 30, baseWhy }
    const down = { ...set, state: 'down', why: 'nobody listens' } as const
    const now = weighing(weighed('a', 30, set), weighed('b', 7, { ...set, why: 'load 0.9, target 0.7' }))
    const reasons = (next: Weighing) => nextTable(first, frame, next, 3, 0.05).proxies.map(({ reason }) => reason)
    expect(reasons(now)).toEqual([baseWhy, `load 0.9, target 0.7; ${baseWhy}`])
    expect(reasons(weighing(weighed('a', 0, down), weighed('b', 100)))).toEqual([
      `nobody listens; ${baseWhy}`,
      'because',
    ])
  })

  it('counts the lost probes of now where another row is the news', () => {
    const suspect = (why: string) => weighed('b', 100, { state: 'suspect', why })
    const said = nextTable(first, frame, weighing(weighed('a', 100), suspect('1 probe lost')), 3, 0.05)
    const next = nextTable(said, frame, weighing(weighed('a', 50), suspect('3 probes lost')), 3, 0.05)
    expect(next.proxies[1]?.reason).toBe('3 probes lost')
  })

  it('keeps the weight that was said where the difference is not worth saying', () => {
    const { proxies } = nextTable(first, frame, weighing(weighed('a', 40), weighed('b', 97)), 3, 0.05)
    expect(proxies[1]?.weight).toBe(100)
  })

  it('carries the figures of now in every row', () => {
    const signals = { responseTimeMs: 12 }
    expect(nextTable(first, frame, weighing(weighed('a', 100, { signals })), 3, 0.05).proxies[0]?.signals).toEqual(
      signals,
    )
  })
})

describe('the first table of a new writer', () => {
  it('has the weights of the last, whatever the writer itself thinks', () => {
    const table = takenOver(
      first,
      { ...frame, writer: 'w2' },
      weighing(weighed('a', 5), weighed('b', 0, { state: 'down' })),
      4,
    )
    expect(table).toMatchObject({ epoch: 4, seq: 1, writer: 'w2' })
    expect(table.proxies.map(({ weight, state }) => [weight, state])).toEqual([
      [100, 'up'],
      [100, 'up'],
    ])
  })

  it('follows the operator all the same', () => {
    const now = weighing(
      weighed('a', 0, { state: 'disabled' }),
      weighed('b', 50, { baseWeight: 50 }),
      weighed('c', 100),
    )
    const table = takenOver(first, frame, now, 4)
    expect(table.proxies.map(({ id, weight }) => [id, weight])).toEqual([
      ['a', 0],
      ['b', 50],
      ['c', 100],
    ])
  })
})

describe('a table that is told again', () => {
  const signals = { responseTimeMs: 12, requestsPerSecond: 20 }
  const told = nextTable(undefined, frame, weighing(weighed('a', 100, { state: 'suspect' }), weighed('b', 0)), 3, 0.05)

  it('has the states and figures of now, and all else as it was said', () => {
    const now = {
      ...weighing(weighed('a', 96, { signals, restricted: true, why: 'other' }), weighed('b', 3)),
      panic: true,
    }
    const [a, b] = told.proxies
    expect(withPresentFigures(told, now)).toEqual({ ...told, proxies: [{ ...a, state: 'up', signals }, b] })
  })

  it('shows nobody gone, or back, whose weight does not say so yet', () => {
    const now = weighing(weighed('a', 0, { state: 'down', signals }), weighed('b', 5, { state: 'recovering' }))
    expect(withPresentFigures(told, now).proxies.map(({ state }) => state)).toEqual(['suspect', 'up'])
    expect(withPresentFigures(told, now).proxies[0]?.signals).toEqual(signals)
  })

  it('leaves a row as it was said whose proxy is gone, or has another address', () => {
    const now = weighing(weighed('a', 100, { uri: 'sip:elsewhere', signals }))
    expect(withPresentFigures(told, now)).toEqual(told)
  })
})

describe('changes of state', () => {
  it('are told with cause and actor', () => {
    const now = weighing(
      weighed('a', 0, { state: 'draining', why: 'draining by ann', actor: 'ann' }),
      weighed('b', 100),
    )
    expect(stateChanges(first, nextTable(first, frame, now, 3, 0.05), now)).toEqual([
      { pool: 'default', proxy: 'a', state: 'draining', prevState: 'up', cause: 'draining by ann', actor: 'ann' },
    ])
  })

  it('are not told for a lost probe', () => {
    const now = weighing(weighed('a', 100, { state: 'suspect' }), weighed('b', 100))
    expect(stateChanges(first, nextTable(first, frame, now, 3, 0.05), now)).toEqual([])
  })

  it('are told for a new proxy only when it is more than unknown', () => {
    const now = weighing(weighed('c', 100, { state: 'unknown' }), weighed('d', 0, { state: 'down' }))
    expect(stateChanges(undefined, nextTable(undefined, frame, now, 3, 0.05), now).map(({ proxy }) => proxy)).toEqual([
      'd',
    ])
  })
})
