import { expect, it } from 'vitest'
import { workerEnv, workerName, workerPlace } from '../src/worker.ts'

it('a worker is told by its parent which one it is; nobody else takes himself for one', () => {
  const place = { instance: 'lb1', worker: 3 }
  const env = workerEnv(place, { HOME: '/root' })
  expect(workerPlace(env, true)).toEqual(place)
  expect([workerPlace(env, false), workerPlace({}, true)]).toEqual([undefined, undefined])
})

it('the name of a worker is a slug of at most 32 characters', () => {
  expect(workerName({ instance: 'lb1', worker: 0 })).toBe('lb1-w0')
  const name = workerName({ instance: 'abcdefghijklmnopqrstuvwx-1-2f3a9', worker: 63 })
  expect(name).toMatch(/^[a-z0-9][a-z0-9-]{0,31}$/)
  expect(name).toMatch(/2f3a9-w63$/)
})
