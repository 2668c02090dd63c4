import { expect, it } from 'vitest'
import { Answers } from '../../src/locating/answers.ts'
import type { Outcome, Question } from '../../src/locating/records.ts'
import { address } from './zone.ts'

const HOUR = 60 * 60_000
const question: Question = { name: 'px1.example.com', type: 'A' }
const good = (ttlMs: number, text = '192.0.2.1'): Outcome => ({ kind: 'records', records: [address(text)], ttlMs })
const failed: Outcome = { kind: 'failed', code: 'ESERVFAIL' }
const nothing: Outcome = { kind: 'nothing', code: 'ENOTFOUND' }

function answersAfter(...taken: readonly (readonly [Outcome, number])[]): Answers {
  const answers = new Answers()
  for (const [outcome, at] of taken) answers.take(question, outcome, at)
  return answers
}

it('uses an answer until its time is over, and has it renewed shortly before', () => {
  const answers = answersAfter([good(60_000), 0])
  expect(answers.isDue(question, 47_000)).toBe(false)
  expect(answers.isDue(question, 48_000)).toBe(true)
  expect(answers.fresh(question, 59_999)).toMatchObject({ kind: 'records', isStale: false })
  expect(answers.fresh(question, 60_000)).toBeUndefined()
  expect(answers.last(question, 60_000)).toMatchObject({ kind: 'records', isStale: true })
})

it.each([
  ['fails', failed],
  ['denies the name', nothing],
])('keeps the last good answer for an hour when the name server %s', (_, outcome) => {
  const answers = answersAfter([good(60_000), 0], [outcome, 60_000])
  expect(answers.fresh(question, 60_000)).toMatchObject({ kind: 'records', isStale: true })
  expect(answers.fresh(question, 60_000 + HOUR - 1)).toMatchObject({ kind: 'records', isStale: true })
  expect(answers.fresh(question, 60_000 + HOUR)).toBeUndefined()
  expect(answers.last(question, 60_000 + HOUR)).toBeUndefined()
})

it('does not take a good answer for stale because its renewal failed', () => {
  const answers = answersAfter([good(60_000), 0], [failed, 50_000])
  expect(answers.fresh(question, 59_000)).toMatchObject({ isStale: false })
})

it('asks again three seconds after a failure, however much is known', () => {
  const answers = answersAfter([good(60_000), 0], [failed, 60_000])
  expect(answers.isDue(question, 62_999)).toBe(false)
  expect(answers.isDue(question, 63_000)).toBe(true)
})

it('takes the next good answer instead', () => {
  const answers = answersAfter([good(60_000), 0], [failed, 60_000], [good(60_000, '192.0.2.2'), 63_000])
  expect(answers.fresh(question, 63_000)).toEqual({ kind: 'records', records: [address('192.0.2.2')], isStale: false })
})

it('believes for five seconds that there is no address, for three that none could be had', () => {
  expect(answersAfter([nothing, 0]).fresh(question, 4999)).toEqual({ kind: 'nothing', code: 'ENOTFOUND' })
  expect(answersAfter([nothing, 0]).fresh(question, 5000)).toBeUndefined()
  expect(answersAfter([failed, 0]).fresh(question, 2999)).toEqual({ kind: 'nothing', code: 'ESERVFAIL' })
  expect(answersAfter([failed, 0]).fresh(question, 3000)).toBeUndefined()
})

it('believes for thirty seconds that there is no service, or for less where the name server says so (RFC 2308)', () => {
  const answers = new Answers()
  const service: Question = { name: '_sip._udp.example.com', type: 'SRV' }
  answers.take(service, nothing, 0)
  expect(answers.fresh(service, 29_999)).toBeDefined()
  answers.take(service, { ...nothing, ttlMs: 10_000 }, 0)
  expect(answers.fresh(service, 9999)).toBeDefined()
  expect(answers.fresh(service, 10_000)).toBeUndefined()
})

it('keeps answers of no duration for a second, and of endless duration for a day', () => {
  expect(answersAfter([good(0), 0]).fresh(question, 999)).toBeDefined()
  expect(answersAfter([good(0), 0]).fresh(question, 1000)).toBeUndefined()
  expect(answersAfter([good(Infinity), 0]).fresh(question, 24 * HOUR)).toBeUndefined()
})

it('forgets what is of no use any more', () => {
  const answers = answersAfter([good(60_000), 0])
  answers.sweep(60_000 + HOUR - 1)
  expect(answers.size).toBe(1)
  answers.sweep(60_000 + HOUR)
  expect(answers.size).toBe(0)
})
