import { expect, it } from 'vitest'
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
