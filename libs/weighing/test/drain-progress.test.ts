import { expect, it } from 'vitest'
import { doneInMs, observeDrain } from '../src/signals/drain-progress.ts'

it('a drain is likely to be done when dialogs go on ending as they did', () => {
  const progress = observeDrain(undefined, 100, 0)
  expect(doneInMs(progress, 100, 10_000)).toBeUndefined()
  expect(doneInMs(progress, 50, 1000)).toBeUndefined() // too early
  // Half of them went in a minute: the time constant is 86.6 s.
  expect(doneInMs(progress, 50, 60_000)).toBeCloseTo(86_562 * (Math.log(50) + 1), -3)
  expect(doneInMs(progress, 0, 60_000)).toBe(0)
})

it('counts from the most that was heard, for ingresses are heard one after the other', () => {
  const progress = observeDrain(observeDrain(undefined, 10, 0), 40, 250)
  expect(progress).toEqual({ since: 0, dialogs: 40 })
  expect(observeDrain(progress, 30, 500)).toBe(progress)
})
