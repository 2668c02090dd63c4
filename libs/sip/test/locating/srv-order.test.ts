import fc from 'fast-check'
import { expect, it } from 'vitest'
import { inSrvOrder } from '../../src/locating/srv-order.ts'
import type { SrvRecord } from '../../src/locating/records.ts'
import { seeded } from './seeded.ts'

const record = (priority: number, weight: number, target: string): SrvRecord => ({
  type: 'service',
  priority,
  weight,
  port: 5060,
  target,
})

function firsts(records: readonly SrvRecord[], times: number): Record<string, number> {
  const random = seeded(7)
  const counts: Record<string, number> = {}
  for (let n = 0; n < times; n++) {
    const target = inSrvOrder(records, random)[0]?.target ?? ''
    counts[target] = (counts[target] ?? 0) + 1
  }
  return counts
}

it('puts each record in, once, and never one of a higher number before one of a lower', () => {
  const anyRecord = fc.record({ priority: fc.nat(3), weight: fc.nat(100), target: fc.string() })
  fc.assert(
    fc.property(fc.array(anyRecord, { maxLength: 12 }), fc.nat(), (rows, seed) => {
      const records = rows.map(({ priority, weight, target }) => record(priority, weight, target))
      const ordered = inSrvOrder(records, seeded(seed))
      expect(new Set(ordered)).toEqual(new Set(records))
      expect(ordered).toHaveLength(records.length)
      const priorities = ordered.map(({ priority }) => priority)
      expect(priorities).toEqual(priorities.toSorted((a, b) => a - b))
    }),
  )
})

// 4.5 σ of a binomial of 10,000 draws is less than 225.
it('draws the first among equals in proportion to the weights', () => {
  const counts = firsts([record(1, 60, 'a'), record(1, 30, 'b'), record(1, 10, 'c'), record(2, 100, 'd')], 10_000)
  expect(counts['a']).toBeGreaterThan(5700)
  expect(counts['a']).toBeLessThan(6300)
  expect(counts['b']).toBeGreaterThan(2700)
  expect(counts['b']).toBeLessThan(3300)
  expect(counts['c']).toBeGreaterThan(800)
  expect(counts['d']).toBeUndefined()
})

it('gives a record of weight 0 a very small chance, and not none', () => {
  const counts = firsts([record(1, 99, 'most'), record(1, 0, 'zero')], 10_000)
  expect(counts['zero']).toBeGreaterThan(40)
  expect(counts['zero']).toBeLessThan(160)
})

it('gives records that all weigh nothing the same chance', () => {
  const counts = firsts([record(1, 0, 'a'), record(1, 0, 'b')], 10_000)
  expect(counts['a']).toBeGreaterThan(4700)
  expect(counts['b']).toBeGreaterThan(4700)
})

it('takes no more than 32 of a set without end', () => {
  const many = Array.from({ length: 500 }, (_, n) => record(n, 1, `px${n}`))
  expect(inSrvOrder(many, seeded(1))).toHaveLength(32)
})
