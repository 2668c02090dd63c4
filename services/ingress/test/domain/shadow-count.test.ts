import { buildSnapshot, createChooser } from '@siplb/routing'
import type { WeightTable } from '@siplb/contracts'
import { expect, it } from 'vitest'
import { ShadowCount } from '../../src/domain/shadow-count.ts'
import { weightTable, type RowParts } from '../weight-tables.ts'

const rows = (px1: number, px2: number): RowParts[] => [
  { id: 'px1', uri: 'sip:127.0.0.1:1', weight: px1 },
  { id: 'px2', uri: 'sip:127.0.0.1:2', weight: px2 },
]

const free = (_proxy: string) => 0

function counted(policy: WeightTable['policy'], weights: readonly [number, number], workOf = free, key?: string) {
  const count = new ShadowCount()
  const snapshot = buildSnapshot(weightTable(rows(...weights), { policy }))
  const chooser = createChooser(() => 0.5)
  for (let i = 0; i < 400; i++) count.choose(snapshot, chooser, key, workOf)
  return { px1: count.take('px1'), px2: count.take('px2'), left: count.take('px1') + count.take('px2') }
}

it('counts by the weights and the policy of the shadow, and hands each count out once', () => {
  expect(counted('smooth-round-robin', [25, 75])).toEqual({ px1: 100, px2: 300, left: 0 })
})

it('picks by the work that is really outstanding', () => {
  const { px1, px2 } = counted('least-work', [100, 100], (proxy) => (proxy === 'px1' ? 3 : 0))
  expect(px1 + px2).toBe(400)
  expect(px2).toBeGreaterThan(340)
})

it('sends one key to one proxy by rendezvous', () => {
  const { px1, px2 } = counted('rendezvous', [100, 100], free, 'call-1')
  expect([px1, px2].toSorted((a, b) => a - b)).toEqual([0, 400])
})

it('counts nothing where nobody could take a request', () => {
  expect(counted('least-work', [0, 0])).toEqual({ px1: 0, px2: 0, left: 0 })
})
