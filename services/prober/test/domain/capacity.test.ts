import { expect, it } from 'vitest'
import { isCredible, judgeLoad } from '../../src/domain/capacity.ts'
import type { LoadReport } from '../../src/domain/load-report.ts'

const active = (count: number, capacity?: number): LoadReport => ({
  kind: 'active',
  active: count,
  capacity,
  details: {},
})

it('a load that was said is taken as said', () => {
  expect(judgeLoad({ kind: 'load', load: 0.3, details: {} }, 500, 40)).toEqual({
    load: 0.3,
    peak: 40,
    capacity: undefined,
  })
})

it('active transactions are held against twice the highest number seen', () => {
  const first = judgeLoad(active(40), undefined, 0)
  expect(first).toEqual({ load: 0.5, peak: 40, capacity: 80 })
  expect(judgeLoad(active(20), undefined, first.peak)).toEqual({ load: 0.25, peak: 40, capacity: 80 })
})

it('a proxy that never had anything to do has load 0', () => {
  expect(judgeLoad(active(0), undefined, 0)).toMatchObject({ load: 0, peak: 0 })
})

it('a capacity that the proxy tells wins over what was seen, and the operator’s over both', () => {
  expect(judgeLoad(active(20, 200), undefined, 40).load).toBe(0.1)
  expect(judgeLoad(active(20, 200), 50, 40).load).toBe(0.4)
})

it('load is never more than 1', () => {
  expect(judgeLoad(active(300, 200), undefined, 0).load).toBe(1)
})

it('a proxy that is fuller by another measure has that load', () => {
  const report = { kind: 'active', active: 10, capacity: 100, atLeast: 0.6, details: {} } as const
  expect(judgeLoad(report, undefined, 0).load).toBe(0.6)
  expect(judgeLoad({ ...report, active: 80 }, undefined, 0).load).toBe(0.8)
  expect(judgeLoad(report, 12, 0).load).toBeCloseTo(10 / 12)
})

it.each([Infinity, 1e308, 1e15])('a count of %d is no load', (active) => {
  expect(isCredible({ kind: 'active', active, capacity: undefined, details: { active } })).toBe(false)
  expect(isCredible({ kind: 'load', load: 0.5, details: { active: 17 } })).toBe(true)
})
