import { expect, it } from 'vitest'
import { durationText } from '../src/duration-text.ts'
import { changesText, weightsText } from '../src/weights-text.ts'
import { tableOf } from './weigher.ts'

const at = new Date(2026, 0, 1, 12, 30, 5)

it('gives no share to a tier that is not needed, nor to a proxy that takes nothing new', () => {
  const text = weightsText(tableOf('main', 1, [{}, {}, {}, {}, { weight: 0, state: 'draining' }, { tier: 2 }]))
  const shares = text
    .split('\n')
    .slice(2)
    .map((line) => /\s(\d+) %/.exec(line)?.[1])
  expect(shares).toEqual(['25', '25', '25', '25', '0', '0'])
})

it('sorts by tier, and numbers in names as numbers', () => {
  const text = weightsText(tableOf('main', 1, [{ id: 'px10' }, { id: 'px9' }, { id: 'px1', tier: 2 }]))
  expect(text.match(/^px\d+/gm)).toEqual(['px9', 'px10', 'px1'])
})

it('says aloud that a pool panics', () => {
  expect(weightsText({ ...tableOf('main', 1, [{}]), panic: true })).toMatch(/ejected ones are used too/)
})

it('tells of a change what it was, what it is and why; and who came and went', () => {
  const before = tableOf('main', 1, [{}, {}, { id: 'old' }])
  const after = tableOf('main', 2, [
    {},
    { weight: 62.54, reason: 'load 90 %' },
    { id: 'young', weight: 0, state: 'unknown', reason: 'added' },
  ])
  expect(changesText(before, after, at)).toEqual([
    '12:30:05 main px2 100 → 62.5 (up): load 90 %',
    '12:30:05 main young new → 0 (unknown): added',
    '12:30:05 main old is no longer in the pool',
  ])
})

it('shows what is left of a drain, what is asked for and what was learnt, where the table has it', () => {
  const text = weightsText(
    tableOf('main', 1, [
      { signals: { capacity: 0.523 } },
      { overload: { algorithm: 'loss', value: 20, seq: 1.7, validityMs: 500 } },
      { overload: { algorithm: 'rate', value: 150, seq: 3, validityMs: 500 }, signals: { capacity: 1 } },
      { overload: { algorithm: 'loss', value: 20, seq: 2, validityMs: 0 } },
      { weight: 0, state: 'draining', drain: { dialogs: 12, doneInMs: 181_000 } },
      { weight: 0, state: 'draining', drain: { dialogs: 1 } },
    ]),
  )
  const lines = text.split('\n').slice(1)
  expect(lines.map((line) => line.split(/ {2,}/).slice(-4, -1))).toEqual([
    ['capacity', 'asks for', 'left'],
    ['0.52', '–', '–'],
    ['–', '20 % less', '–'],
    ['1', 'at most 150/s', '–'],
    ['–', '–', '–'],
    ['–', '–', '12 dialogs left, about 3 min'],
    ['–', '–', '1 dialog left'],
  ])
})

it('has no column for what no proxy of the pool has', () => {
  expect(weightsText(tableOf('main', 1, [{}]))).not.toMatch(/capacity|asks for|left/)
})

it.each([
  [300, '1 s'],
  [40_400, '40 s'],
  [119_000, '119 s'],
  [181_000, '3 min'],
  [7_300_000, '2 h'],
])('tells %i ms as exactly as an estimate is', (ms, text) => expect(durationText(ms)).toBe(text))
