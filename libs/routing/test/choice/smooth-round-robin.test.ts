import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SmoothRoundRobin } from '../../src/choice/smooth-round-robin.ts'
import { buildSnapshot } from '../../src/snapshot.ts'
import { row, rows, seeded, table } from '../support.ts'

const urnOf = (...weights: number[]) => buildSnapshot(table(rows(...weights))).urn

function sequence(weights: readonly number[], length: number): string {
  const round = new SmoothRoundRobin()
  const urn = urnOf(...weights)
  return Array.from({ length }, () => 'abcdefgh'.charAt(Number(round.next(urn)?.candidate.proxy.slice(2)))).join('')
}

describe('smooth round robin', () => {
  it('takes turns among equals', () => {
    expect(sequence([1, 1, 1], 7)).toBe('abcabca')
  })

  it('spreads the turns of the heavy one', () => {
    expect(sequence([5, 1, 1], 14)).not.toContain('aaaaa')
    expect(sequence([3, 1], 8)).not.toContain('aaaa')
  })

  it('gives any number of equals from 1 to 500 the same, to one request, at every moment', () => {
    for (let n = 1; n <= 500; n++) {
      const round = new SmoothRoundRobin()
      const urn = urnOf(...Array<number>(n).fill(100))
      const seen = new Set<string | undefined>()
      for (let i = 0; i < n; i++) seen.add(round.next(urn)?.candidate.proxy)
      expect(seen.size).toBe(n)
      expect(seen.has(round.next(urn)?.candidate.proxy)).toBe(true)
    }
  })

  it('is never a whole request away from the share of any weight', () => {
    const weight = fc.double({ min: 0.01, max: 1000, noNaN: true })
    fc.assert(
      fc.property(fc.array(weight, { minLength: 1, maxLength: 30 }), (weights) => worstLag(weights, 600) < 1),
      { numRuns: 60 },
    )
  })

  // The greatest lag first, which is nginx's rule, comes to 1.2 on weights like these.
  it('keeps to that where weights are spread over five orders of magnitude', () => {
    const random = seeded(7)
    for (let i = 0; i < 60; i++) {
      const weights = Array.from({ length: 2 + Math.floor(random() * 38) }, () => random() ** 4 * 100 + 0.01)
      expect(worstLag(weights, 1500)).toBeLessThan(1)
    }
  })

  it('gives no burst when weights change, whatever their scale', () => {
    const round = new SmoothRoundRobin()
    const before = urnOf(100, 100, 100, 100)
    for (let i = 0; i < 1001; i++) round.next(before)
    const after = urnOf(0.1, 0.1, 0.1, 0.1)
    const next = Array.from({ length: 4 }, () => round.next(after)?.candidate.proxy)
    expect(next).toEqual(['px1', 'px2', 'px3', 'px0'])
  })

  it('stays within two requests of the shares over any number of changes', () => {
    const random = seeded(3)
    const round = new SmoothRoundRobin()
    const due = [0, 0, 0, 0, 0, 0]
    let worst = 0
    for (let change = 0; change < 300; change++) {
      const weights = due.map(() => random() * 100 + 1)
      const total = weights.reduce((sum, weight) => sum + weight, 0)
      const urn = urnOf(...weights)
      for (let i = random() * 9; i > 0; i--) {
        weights.forEach((weight, k) => (due[k] = (due[k] ?? 0) + weight / total))
        const chosen = Number(round.next(urn)?.candidate.proxy.slice(2))
        due[chosen] = (due[chosen] ?? 0) - 1
        worst = Math.max(worst, ...due.map(Math.abs))
      }
    }
    expect(worst).toBeLessThan(2)
  })

  it('goes on evenly among those who stay when all who were owed a turn leave', () => {
    const round = new SmoothRoundRobin()
    const ten = rows(...Array<number>(10).fill(1))
    const all = buildSnapshot(table(ten)).urn
    for (let i = 0; i < 5; i++) round.next(all)
    const staying = buildSnapshot(table(ten.slice(0, 5))).urn
    expect(new Set(Array.from({ length: 5 }, () => round.next(staying))).size).toBe(5)
  })

  it('lets others in and out without a burst', () => {
    const round = new SmoothRoundRobin()
    const three = urnOf(1, 1, 1)
    round.next(three)
    const others = buildSnapshot(table([row('px1', 1), row('px2', 1), row('new', 1)])).urn
    const turns = Array.from({ length: 6 }, () => round.next(others)?.candidate.proxy)
    expect(new Set(turns.slice(0, 3))).toEqual(new Set(['new', 'px1', 'px2']))
    expect(new Set(turns.slice(3))).toEqual(new Set(['new', 'px1', 'px2']))
  })
})

/** The furthest that any proxy ever was from its share, in requests. */
function worstLag(weights: readonly number[], requests: number): number {
  const round = new SmoothRoundRobin()
  const urn = urnOf(...weights)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const counts = new Map<string | undefined, number>()
  let worst = 0
  for (let i = 1; i <= requests; i++) {
    const proxy = round.next(urn)?.candidate.proxy
    counts.set(proxy, (counts.get(proxy) ?? 0) + 1)
    weights.forEach((weight, k) => {
      worst = Math.max(worst, Math.abs((counts.get(`px${k}`) ?? 0) - (i * weight) / total))
    })
  }
  return worst
}
