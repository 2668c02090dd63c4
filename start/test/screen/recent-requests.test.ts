import { expect, it } from 'vitest'
import { RecentRequests } from '../../screen/recent-requests.ts'

it('remembers the requests of the last ten seconds, by pool and proxy', () => {
  const recent = new RecentRequests()
  recent.add('a', 'px1', 3, 0)
  recent.add('a', 'px1', 4, 5000)
  recent.add('b', 'px1', 9, 5000)
  expect(recent.of('a', 'px1', 9999)).toBe(7)
  expect(recent.of('a', 'px1', 10_000)).toBe(4)
  expect(recent.of('a', 'px2', 10_000)).toBe(0)
})
