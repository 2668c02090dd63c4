import { describe, expect, it } from 'vitest'
import { asUsual, costsBy, learnCosts } from '../src/factors/learned-costs.ts'
import { departuresAt, fitWork, observeQueueing } from '../src/signals/queueing-fit.ts'
import { costs } from '../src/table/cost.ts'
import { sumsOf } from './support.ts'

/** Proxies that take `inviteMs` for an INVITE ahead and `otherMs` for anything else. */
function evidence(...proxies: readonly [inviteMs: number, otherMs: number][]) {
  return proxies.map(([inviteMs, otherMs]) => {
    const seen = Array.from({ length: 300 }, (_, i) => {
      const [invites, others] = [i % 5, (i * 7) % 4]
      return { invites, others, ms: 2 + inviteMs * invites + otherMs * others + (i % 3) * 0.2 }
    })
    const departures = departuresAt(observeQueueing(new Map(), 'a', sumsOf(seen), 0), 0)
    const fit = departures === undefined ? undefined : fitWork(departures, 0.6)
    if (departures === undefined || fit === undefined) throw new Error('nothing')
    return { departures, fit }
  })
}

const after = (ms: number, ...proxies: readonly [number, number][]) => {
  let learned = asUsual(0)
  for (let now = 0; now <= ms; now += 250) learned = learnCosts(learned, evidence(...proxies), now)
  return learned
}

describe('learned costs', () => {
  it('are the usual ones until something is known', () => {
    expect(costsBy(asUsual(0))).toBe(costs)
    expect(costsBy(learnCosts(asUsual(0), [], 60_000))).toBe(costs)
  })

  it('are what other requests add to a response time, against an INVITE, over proxies of any speed', () => {
    const { BYE, INVITE, CANCEL } = costsBy(after(120_000, [10, 20], [40, 80]))
    expect([INVITE, BYE, CANCEL]).toEqual([1, expect.closeTo(2, 0), expect.closeTo(1, 0)])
  })

  it('are not told anew for a difference that does not matter', () => {
    expect(costsBy(after(120_000, [10, 6.4]))).toBe(costs)
  })
})
