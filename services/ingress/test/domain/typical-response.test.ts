import { expect, it } from 'vitest'
import { TypicalResponse } from '../../src/domain/typical-response.ts'

it('a refusal that comes too fast is work for as long as a request typically takes', () => {
  const typical = new TypicalResponse()
  expect(typical.holdMs(404, 1)).toBe(0) // nothing is known yet
  for (let i = 0; i < 100; i++) expect(typical.holdMs(100, 20)).toBe(0)
  expect(typical.holdMs(404, 1)).toBeCloseTo(19)
  expect(typical.holdMs(503, 1)).toBeCloseTo(19)
})

it('one that takes its time is no more work than it was, and a quick answer is just quick', () => {
  const typical = new TypicalResponse()
  for (let i = 0; i < 100; i++) typical.holdMs(200, 20)
  expect(typical.holdMs(486, 11)).toBe(0)
  expect(typical.holdMs(100, 1)).toBe(0)
})

it('refusals do not become what is typical', () => {
  const typical = new TypicalResponse()
  typical.holdMs(100, 20)
  for (let i = 0; i < 100; i++) typical.holdMs(404, 1)
  expect(typical.holdMs(404, 1)).toBeCloseTo(19)
})

it('nothing is held for longer than two seconds', () => {
  const typical = new TypicalResponse()
  for (let i = 0; i < 500; i++) typical.holdMs(100, 9000)
  expect(typical.holdMs(503, 1)).toBe(2000)
})
