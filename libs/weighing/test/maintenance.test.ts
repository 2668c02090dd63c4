import { expect, it } from 'vitest'
import { maintenanceIn } from '../src/standing/maintenance.ts'
import { report } from './support.ts'

const fresh = { accepted: 0, failed: 3, failedLater: 0 }
const refusing = report('px1', 3, { unavailable: 3 }, { fresh, retryAfterMs: 120_000 })

it('a proxy that answers nothing but 503 with Retry-After is out for that time', () => {
  expect(maintenanceIn(refusing, 3, 1000)).toEqual({ until: 121_000, forMs: 120_000 })
})

it('is not believed for longer than an hour', () => {
  expect(maintenanceIn({ ...refusing, retryAfterMs: 86_400_000 }, 3, 0)?.forMs).toBe(3_600_000)
})

it('is no maintenance while it takes requests, on a first refusal, or without Retry-After', () => {
  expect(maintenanceIn({ ...refusing, fresh: { ...fresh, accepted: 1 } }, 3, 0)).toBeUndefined()
  expect(maintenanceIn(refusing, 2, 0)).toBeUndefined()
  const { retryAfterMs: _, ...silent } = refusing
  expect(maintenanceIn(silent, 3, 0)).toBeUndefined()
})
