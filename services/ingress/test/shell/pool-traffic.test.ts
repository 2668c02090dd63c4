import { expect, it } from 'vitest'
import { PoolTraffic, type Listed } from '../../src/shell/pool-traffic.ts'

const noDialogs = new Map<string, number>()
const listed = (...ids: string[]): Listed => ({ rows: ids.map((id) => ({ id })), has: (proxy) => ids.includes(proxy) })
const task = (proxy: string) => ({ proxy, cost: 1, isInvite: true })

it('what was held after a refusal is told as work no longer than it was held, though no new request comes', () => {
  const traffic = new PoolTraffic()
  const [slow, quick] = [task('px1'), task('px1')]
  for (const one of [slow, quick]) traffic.begin(one, true)
  traffic.firstResponse(slow, { method: 'INVITE', status: 100, ms: 200, now: 200 })
  traffic.firstResponse(quick, { method: 'INVITE', status: 404, ms: 1, now: 200 })
  expect(traffic.take(listed('px1'), noDialogs, 300)[0]?.work).toBe(1)
  expect(traffic.take(listed('px1'), noDialogs, 400)[0]?.work).toBe(0)
})

it('a proxy that left the pool is told until nothing is outstanding there, and then no more', () => {
  const traffic = new PoolTraffic()
  const told = (now: number) => traffic.take(listed('px2'), noDialogs, now).map(({ proxy }) => proxy)
  const one = task('px1')
  traffic.begin(one, true)
  expect(told(0)).toEqual(['px2', 'px1'])
  traffic.end(one, 'success')
  expect(told(250)).toEqual(['px2', 'px1'])
  expect(told(500)).toEqual(['px2'])
})

it('of a pool of thousands those are told where something happened, that have a dialog, or where a request still is', () => {
  const traffic = new PoolTraffic()
  const many = listed(...Array.from({ length: 1000 }, (_, i) => `px${i}`))
  const dialogs = new Map(Object.entries({ px7: 3, gone: 1 }))
  const told = (now: number) =>
    new Map(traffic.take(many, dialogs, now).map((one) => [one.proxy, [one.dialogs, one.requests, one.inFlight]]))
  traffic.begin(task('px500'), true)
  traffic.begin(task('left'), true)
  expect(told(0)).toEqual(new Map(Object.entries({ px7: [3, 0, 0], px500: [0, 1, 1], left: [0, 1, 1] })))
  expect(told(250)).toEqual(new Map(Object.entries({ px7: [3, 0, 0], px500: [0, 0, 1], left: [0, 0, 1] })))
})
