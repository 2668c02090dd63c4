import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Entry } from '../../src/choice/choice.ts'
import { createCumulativeUrn } from '../../src/choice/cumulative.ts'
import { buildSnapshot } from '../../src/snapshot.ts'
import { rows, table } from '../support.ts'

const entriesOf = (weights: readonly number[]) => buildSnapshot(table(rows(...weights))).urn.entries

/** What the urn promises, in the plainest way: the first whose running sum is above the point. */
function walked(entries: readonly Entry[], u: number): Entry | undefined {
  const point = u * entries.reduce((sum, { weight }) => sum + weight, 0)
  let sum = 0
  return entries.find(({ weight }) => (sum += weight) > point) ?? entries.at(-1)
}

describe('an urn by running sums', () => {
  it('draws what a walk along the sums finds, whatever the weights', () => {
    const even = fc.double({ min: 0.5, max: 2, noNaN: true })
    const uneven = fc.oneof(even, fc.double({ min: 1e-9, max: 1e9, noNaN: true }))
    const u = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
    fc.assert(
      fc.property(fc.array(uneven, { minLength: 1, maxLength: 40 }), fc.array(u, { maxLength: 40 }), (weights, us) => {
        const entries = entriesOf(weights)
        const urn = createCumulativeUrn(entries)
        for (const at of [0, 1 - Number.EPSILON / 2, ...us]) expect(urn.draw(at)).toBe(walked(entries, at))
      }),
    )
  })

  it('finds each entry at the very edge of its part', () => {
    const entries = entriesOf(Array.from({ length: 1000 }, (_, i) => 1 + (i % 7)))
    const urn = createCumulativeUrn(entries)
    const total = entries.reduce((sum, { weight }) => sum + weight, 0)
    let sum = 0
    for (const { weight } of entries) {
      for (const u of [sum / total, (sum + weight / 2) / total]) expect(urn.draw(u)).toBe(walked(entries, u))
      sum += weight
    }
  })

  it('has nothing to draw when it is empty', () => {
    expect(createCumulativeUrn([]).draw(0.5)).toBeUndefined()
  })
})
