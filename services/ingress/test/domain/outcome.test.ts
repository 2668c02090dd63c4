import { expect, it } from 'vitest'
import { outcomeOf } from '../../src/domain/outcome.ts'

it.each([
  [200, false, 'success'],
  [202, false, 'success'],
  [302, false, 'redirection'],
  [404, false, 'refusal'],
  [408, false, 'refusal'],
  [486, false, 'refusal'],
  [487, true, 'cancelled'],
  [487, false, 'refusal'],
  [486, true, 'refusal'],
  [500, false, 'serverError'],
  [501, false, 'refusal'],
  [503, false, 'unavailable'],
  [503, true, 'unavailable'],
  [504, false, 'serverError'],
  [603, false, 'refusal'],
] as const)('a %i, cancelled: %s, is a %s', (status, isCancelled, outcome) => {
  expect(outcomeOf(status, isCancelled)).toBe(outcome)
})
