import { describe, expect, it } from 'vitest'
import { seeded } from '../seeded.ts'
import { EdgeShedding, wantedShed } from '../../src/domain/edge-shedding.ts'
import type { Asked } from '../../src/domain/overload-control.ts'
import type { RequestClass } from '../../src/domain/request-class.ts'

const asked = (algorithm: Asked['algorithm'], value: number): Asked => ({ algorithm, value, until: 1e9, isOwn: true })

describe('the part to shed', () => {
  it.each([
    { asks: { a: [100, asked('loss', 50)], b: [100, asked('loss', 30)] }, wanted: 0.4 },
    { asks: { a: [300, asked('loss', 50)], b: [100, asked('loss', 10)] }, wanted: 0.4 },
    { asks: { a: [100, asked('loss', 50)], b: [100, undefined] }, wanted: 0 },
    { asks: { a: [100, asked('loss', 50)], b: [0, undefined] }, wanted: 0.5 },
    { asks: { a: [100, asked('loss', 50)], b: [100, asked('rate', 5)] }, wanted: 0 },
    { asks: {}, wanted: 0 },
  ] as const)('is $wanted', ({ asks, wanted }) => {
    const known = new Map(Object.entries<readonly [number, Asked | undefined]>(asks))
    const rows = [...known].map(([id, [weight]]) => ({ id, weight }))
    expect(wantedShed(rows, (proxy) => known.get(proxy)?.[1])).toBeCloseTo(wanted, 10)
  })
})

describe('edge shedding', () => {
  /** The shed part of each class, of requests that come in turn in this order. */
  function shedParts(order: readonly RequestClass[], wanted: number): Partial<Record<RequestClass, number>> {
    const shedding = new EdgeShedding(seeded())
    const counts = new Map<RequestClass, { all: number; shed: number }>()
    for (let i = 0; i < 6000; i++) {
      const one = order[i % order.length] ?? 'untrusted'
      shedding.note(one)
      const isShed = shedding.sheds(one, wanted)
      if (i < 1000) continue
      const count = counts.get(one) ?? { all: 0, shed: 0 }
      counts.set(one, { all: count.all + 1, shed: count.shed + (isShed ? 1 : 0) })
    }
    return Object.fromEntries([...counts].map(([one, { all, shed }]) => [one, Math.round((100 * shed) / all)]))
  }

  const mixed = ['untrusted', 'trusted', 'untrusted', 'trusted', 'emergency'] as const
  it.each([
    { order: mixed, wanted: 0, parts: { untrusted: 0, trusted: 0, emergency: 0 } },
    { order: mixed, wanted: 0.2, parts: { untrusted: 50, trusted: 0, emergency: 0 } },
    { order: mixed, wanted: 0.4, parts: { untrusted: 100, trusted: 0, emergency: 0 } },
    { order: mixed, wanted: 0.6, parts: { untrusted: 100, trusted: 50, emergency: 0 } },
    { order: mixed, wanted: 1, parts: { untrusted: 100, trusted: 100, emergency: 0 } },
    { order: ['trusted'] as const, wanted: 0.3, parts: { trusted: 30 } },
  ])('of $wanted takes untrusted sources first, emergency calls never', ({ order, wanted, parts }) => {
    const shed = shedParts(order, wanted)
    for (const [one, part] of Object.entries(parts)) {
      expect(Math.abs((shed[one as RequestClass] ?? 0) - part)).toBeLessThanOrEqual(2)
    }
  })
})
