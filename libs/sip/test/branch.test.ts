import { isCookie, makeBranch, readBranch } from '@siplb/sip'
import { expect, it } from 'vitest'

it('a branch of ours tells instance, worker and number', () => {
  const parts = { instance: 'ingress-1a2b', worker: 3, unique: 'k9-x' }
  expect(readBranch(makeBranch(parts))).toEqual(parts)
  expect(isCookie(makeBranch(parts))).toBe(true)
})

it('what others write is not read as ours', () => {
  const others = [
    '',
    'z9hG4bK',
    'z9hG4bKabc',
    'z9hG4bK.sl.',
    'z9hG4bK.sl.a.b.c',
    'z9hG4bK.sl.a.1',
    'z9hG4bK.sl.a.1.',
    'z9hG4bK.sl.a.1.b.c',
    'z9hG4bK.sl..1.b',
    'z9hG4bK.sl.a.-1.b',
    'z9hG4bK.sl.a.1e2.b',
    'z9hG4bK.sl.a.999999.b',
  ]
  expect(others.filter((branch) => readBranch(branch) !== undefined)).toEqual([])
})

it('a branch without anything behind the cookie identifies nothing', () => {
  expect([undefined, '390skdjuw', 'z9hG4bK', 'z9hG4bK1'].map(isCookie)).toEqual([false, false, false, true])
})
