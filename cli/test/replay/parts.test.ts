import { describe, expect, it } from 'vitest'
import { Failing } from '../../src/replay/failing.ts'
import { inOrder } from '../../src/replay/signals.ts'
import { durationText, instantOf } from '../../src/replay/span.ts'
import { probe, traffic } from './signals-under-test.ts'

describe('merging what is in order', () => {
  async function* of(...seqs: number[]): AsyncGenerator<{ seq: number }> {
    for (const seq of seqs) yield await Promise.resolve({ seq })
  }

  it('keeps the order, and ends with the last', async () => {
    const merged = await Array.fromAsync(inOrder([of(2, 5, 6), of(), of(1, 5, 9)]))
    expect(merged.map(({ seq }) => seq)).toEqual([1, 2, 5, 5, 6, 9])
  })

  it('lets go of all sources when it is left', async () => {
    const left: string[] = []
    async function* noting(name: string): AsyncGenerator<{ seq: number }> {
      try {
        for (let seq = 1; ; seq++) yield await Promise.resolve({ seq })
      } finally {
        left.push(name)
      }
    }
    for await (const { seq } of inOrder([noting('a'), noting('b')])) if (seq === 3) break
    expect(left).toEqual(['a', 'b'])
  })
})

describe('a proxy is failing', () => {
  const after = (...signals: Parameters<Failing['hear']>[0][]) => {
    const failing = new Failing()
    for (const signal of signals) failing.hear(signal)
    return failing.has('px1')
  }
  const lost = { outcome: 'lost' } as const

  it('after two probes that were lost or answered 503, after one that was refused, and not for one lost', () => {
    expect(after(probe(0, 'px1', lost))).toBe(false)
    expect(after(probe(0, 'px1', lost), probe(1, 'px1', lost))).toBe(true)
    expect(after(probe(0, 'px1', { outcome: 'refused' }))).toBe(true)
    const ill = { responseTimeMs: 1, status: 503 }
    expect(after(probe(0, 'px1', ill), probe(1, 'px1', ill))).toBe(true)
    expect(after(probe(0, 'px1', lost), probe(1, 'px1', lost), probe(2, 'px1'))).toBe(false)
    const doubtful = { ...lost, doubtful: true }
    expect(after(probe(0, 'px1', doubtful), probe(1, 'px1', doubtful))).toBe(false)
  })

  it('while half of what ended within two seconds failed', () => {
    const bad = (at: number, requests: number) => traffic(at, { px1: { requests, end: 'serverError' } })
    const good = (at: number, requests: number) => traffic(at, { px1: { requests } })
    expect(after(good(0, 4), bad(250, 4))).toBe(true)
    expect(after(good(0, 5), bad(250, 4))).toBe(false)
    expect(after(bad(0, 4), good(3000, 1))).toBe(false)
    expect(after(traffic(0, { px1: { requests: 9, end: 'timeout' } }))).toBe(false)
  })
})

describe('times', () => {
  it('are told as so long ago, or as dates', () => {
    const now = Date.parse('2026-11-25T15:00:00Z')
    expect([instantOf('since', '90s', now), instantOf('since', '1.5h', now)]).toEqual([now - 90_000, now - 5_400_000])
    expect(instantOf('since', '2026-11-25T14:00:00Z', now)).toBe(now - 3_600_000)
    expect(() => instantOf('since', '1 hour', now)).toThrow('--since wants a time such as 90s')
  })

  it('are shown without what is nothing', () => {
    expect([0, 59_600, 3_600_000, 3_723_000].map(durationText)).toEqual(['0 s', '1 min', '1 h', '1 h 2 min 3 s'])
  })
})
