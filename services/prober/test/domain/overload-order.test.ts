import { expect, it } from 'vitest'
import { heardOverload, isOld, loadOf } from '../../src/domain/overload-order.ts'

const news = (seq: number) => ({ algorithm: 'loss', value: 30, validityMs: 500, seq }) as const

it.each([
  [1.8, 100, false],
  [1.7, 100, false],
  [1.6, 100, true],
  [1.6, 499, true],
  [1.6, 500, false],
])('after 1.7, news numbered %d is old %d ms later: %s', (seq, later, old) => {
  const last = heardOverload(news(1.7), 1000)
  expect(isOld(last, news(seq), 1000 + later)).toBe(old)
})

it('the first news is not old', () => {
  expect(isOld(undefined, news(0), 0)).toBe(false)
})

it('loss is told as a part, a rate as full', () => {
  expect(loadOf(news(1))).toBe(0.3)
  expect(loadOf({ ...news(1), algorithm: 'rate' })).toBe(1)
})
