import { SketchBuilder, type ProxyTraffic } from '@siplb/contracts'
import { expect, it } from 'vitest'
import { PoolDriver } from './pool-driver.ts'
import { report, sumsOf, type Seen } from './support.ts'

/** How long a proxy takes for a request itself, and for each that is ahead of it. */
interface Pace {
  readonly ownMs: number
  readonly serviceMs: number
}

const quick: Pace = { ownMs: 2, serviceMs: 2 }
const overloaded: Pace = { ownMs: 500, serviceMs: 60 }

/** Requests of a quarter of a second. */
function queued(proxy: string, { ownMs, serviceMs }: Pace): ProxyTraffic {
  const seen: Seen[] = Array.from({ length: 25 }, (_, i) => {
    const invites = i % 6
    return { invites, others: 0, ms: ownMs + serviceMs * invites + (i % 3) * 0.2 }
  })
  const sketch = new SketchBuilder()
  for (const { ms } of seen) sketch.add(ms)
  const told = { responseTimes: { INVITE: sketch.take() }, queueing: { INVITE: sumsOf(seen) } }
  return report(proxy, seen.length, { success: seen.length }, told)
}

function pass(pool: PoolDriver, ms: number, b: Pace): void {
  for (const end = pool.now + ms; pool.now < end; pool.weigh()) {
    pool.now += 250
    pool.probe('a', { responseTimeMs: quick.ownMs })
    pool.probe('b', { responseTimeMs: b.ownMs })
    pool.traffic('i1', queued('a', quick), queued('b', b))
  }
}

it('learns nothing from an overload that would outlast it', () => {
  const pool = new PoolDriver('a', 'b')
  pass(pool, 20_000, quick)
  expect(pool.weight('b')).toBe(100)
  pass(pool, 20_000, overloaded)
  expect(pool.weight('b')).toBeLessThan(10)
  pass(pool, 40_000, quick)
  expect(pool.weight('b')).toBe(100)
})
