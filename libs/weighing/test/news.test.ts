import { weightTable, type ProxyState, type WeightTable } from '@siplb/contracts'
import { describe, expect, it } from 'vitest'
import { newsIn, type Frame } from '../src/table/news.ts'
import { maySay, newSpeech, spoken } from '../src/table/speech.ts'
import type { WeighedProxy, Weighing } from '../src/table/weighed-proxy.ts'

const frame: Frame = { pool: 'default', writer: 'w1', policy: 'least-work', strict: false, costs: {} }

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

function said(...proxies: WeighedProxy[]): WeightTable {
  return weightTable.parse({
    ...frame,
    ...{ epoch: 1, seq: 1, prevSeq: 0, panic: false },
    proxies: proxies.map((proxy) => ({ ...proxy, prevWeight: proxy.weight, reason: 'so' })),
  })
}
const weighing = (...proxies: WeighedProxy[]): Weighing => ({ panic: false, proxies })
const newsOfWeights = (from: number, to: number) =>
  newsIn(said(weighed('a', from)), frame, weighing(weighed('a', to)), 0.05)
const newsOfStates = (from: ProxyState, to: ProxyState) =>
  newsIn(said(weighed('a', 0, { state: from })), frame, weighing(weighed('a', 0, { state: to })), 0.05)

describe('news', () => {
  it.each([
    [100, 100, 'none'],
    [100, 96, 'none'],
    [100, 90, 'minor'],
    [100, 75, 'urgent'],
    [50, 40, 'minor'],
    [50, 36, 'urgent'],
    [10, 12, 'minor'],
    [10, 11, 'none'],
    [3, 2, 'minor'],
    [50, 74, 'minor'],
    [50, 76, 'urgent'],
    [0, 5, 'urgent'],
    [2, 0, 'urgent'],
    [98, 100, 'minor'],
  ])('of a weight that goes from %d to %d are %s', (from, to, news) => {
    expect(newsOfWeights(from, to)).toBe(news)
  })

  it.each([
    ['unknown', 'up', 'minor'],
    ['up', 'suspect', 'minor'],
    ['suspect', 'up', 'minor'],
    ['up', 'up', 'none'],
    ['suspect', 'down', 'urgent'],
    ['down', 'recovering', 'urgent'],
    ['recovering', 'up', 'minor'],
    ['up', 'ejected', 'urgent'],
    ['draining', 'drained', 'urgent'],
  ] as const)('of a proxy that goes from %s to %s are %s', (from, to, news) => {
    expect(newsOfStates(from, to)).toBe(news)
  })

  it('are urgent when the pool itself changes', () => {
    const table = said(weighed('a', 100))
    const now = weighing(weighed('a', 100))
    expect(newsIn(table, frame, weighing(weighed('a', 100), weighed('b', 100)), 0.05)).toBe('urgent')
    expect(newsIn(table, frame, weighing(weighed('b', 100)), 0.05)).toBe('urgent')
    expect(newsIn(table, { ...frame, policy: 'weighted-random' }, now, 0.05)).toBe('urgent')
    expect(newsIn(table, frame, { ...now, panic: true }, 0.05)).toBe('urgent')
    expect(newsIn(table, frame, weighing(weighed('a', 100, { uri: 'sip:other' })), 0.05)).toBe('urgent')
  })
})

describe('speech', () => {
  it('says minor news twice, and then once in five seconds', () => {
    let speech = newSpeech(0)
    const seen: number[] = []
    for (let now = 0; now <= 20_000; now += 250) {
      if (!maySay(speech, 'minor', now)) continue
      speech = spoken(speech, 'minor', now)
      seen.push(now)
    }
    expect(seen).toEqual([0, 250, 5000, 10_000, 15_000, 20_000])
  })

  it('never keeps urgent news back, and is quiet for it later', () => {
    let speech = newSpeech(0)
    for (let i = 0; i < 5; i++) {
      expect(maySay(speech, 'urgent', i)).toBe(true)
      speech = spoken(speech, 'urgent', i)
    }
    expect([4000, 5100].map((now) => maySay(speech, 'minor', now))).toEqual([false, true])
    expect(maySay(speech, 'none', 60_000)).toBe(false)
  })
})
