import type { WeightRow, WeightTable } from '@siplb/contracts'
import { expect, it } from 'vitest'
import { snapshotEvent, tableEvents } from '../../src/domain/table-events.ts'

const rowOf = (i: number, weight: number): WeightRow => ({
  ...{ id: `px${i}`, uri: `sip:10.0.0.1:${i}`, tier: 1, baseWeight: 100, weight, prevWeight: 100 },
  ...{ state: 'up', restricted: false, reason: 'as the test wants it', signals: { inFlight: i } },
})

function tableOf(rows: number, weightOf: (i: number) => number = () => 100): WeightTable {
  const head = { pool: 'default', epoch: 1, seq: 1, prevSeq: 0, writer: 'w1', policy: 'two-choices' } as const
  const proxies = Array.from({ length: rows }, (_, i) => rowOf(i, weightOf(i)))
  return { ...head, strict: false, panic: false, costs: {}, proxies }
}

it('a table of up to 500 rows is said whole', () => {
  expect(tableEvents(tableOf(500), tableOf(500))).toEqual([tableOf(500)])
  expect(snapshotEvent(tableOf(500))).toEqual(tableOf(500))
})

it('of a larger one the rows are said that changed, and how many parts the store has', () => {
  const events = tableEvents(
    tableOf(1001, (i) => (i === 7 ? 50 : 100)),
    tableOf(1001),
  )
  expect(events).toEqual([{ ...tableOf(0), parts: 11, proxies: [rowOf(7, 50)] }])
  expect(snapshotEvent(tableOf(1001))).toEqual({ ...tableOf(0), parts: 11 })
})

it('those that changed are said by 100, all of them at first, and one event at least', () => {
  const first = tableEvents(tableOf(501), undefined)
  expect(first.map(({ proxies }) => proxies.length)).toEqual([100, 100, 100, 100, 100, 1])
  expect(tableEvents(tableOf(600), tableOf(600)).map(({ proxies }) => proxies.length)).toEqual([0])
})
