import { expect, it } from 'vitest'
import { fractionOf } from '../../src/domain/hash.ts'

it('is always the same for a text', () => {
  expect(fractionOf('default.px1')).toBe(fractionOf('default.px1'))
  expect(fractionOf('default.px1')).not.toBe(fractionOf('default.px2'))
})

it('spreads texts that differ in their last digits only', () => {
  const tenths = new Map<number, number>()
  for (let i = 0; i < 10_000; i++) {
    const tenth = Math.floor(fractionOf(`default.px${i}`) * 10)
    tenths.set(tenth, (tenths.get(tenth) ?? 0) + 1)
  }
  expect(tenths.size).toBe(10)
  // Binomial: 1000 ± 30; 4.5 σ.
  for (const count of tenths.values()) expect(Math.abs(count - 1000)).toBeLessThan(135)
})

it('spreads the few proxies of a small pool too', () => {
  const places = Array.from({ length: 8 }, (_, i) => fractionOf(`default.px${i + 1}`))
  expect(Math.max(...places) - Math.min(...places)).toBeGreaterThan(0.5)
})
