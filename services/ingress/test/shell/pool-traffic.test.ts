import { expect, it } from 'vitest'
import { PoolTraffic } from '../../src/shell/pool-traffic.ts'

const task = (proxy: string) => ({ proxy, cost: 1, isInvite: true })

it('what was held after a refusal is told as work no longer than it was held, though no new request comes', () => {
  const traffic = new PoolTraffic()
  const [slow, quick] = [task('px1'), task('px1')]
  for (const one of [slow, quick]) traffic.begin(one, true)
  traffic.firstResponse(slow, { method: 'INVITE', status: 100, ms: 200, now: 200 })
  traffic.firstResponse(quick, { method: 'INVITE', status: 404, ms: 1, now: 200 })
  expect(traffic.take(['px1'], () => 0, 300)[0]?.work).toBe(1)
  expect(traffic.take(['px1'], () => 0, 400)[0]?.work).toBe(0)
})

it('a proxy that left the pool is told until nothing is outstanding there, and then no more', () => {
  const traffic = new PoolTraffic()
  const told = (now: number) => traffic.take(['px2'], () => 0, now).map(({ proxy }) => proxy)
  const one = task('px1')
  traffic.begin(one, true)
  expect(told(0)).toEqual(['px2', 'px1'])
  traffic.end(one, 'success')
  expect(told(250)).toEqual(['px2', 'px1'])
  expect(told(500)).toEqual(['px2'])
})
