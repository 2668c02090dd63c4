import { describe, expect, it } from 'vitest'
import { departuresAt, fitWork, observeQueueing, type QueueingHistory } from '../src/signals/queueing-fit.ts'
import { sumsOf, type Seen } from './support.ts'

/** Response times of a proxy that takes so long for each of what is ahead, beside `baseMs`. */
const seenAt = (perInviteMs: number, perOtherMs: number, baseMs: number, count = 60) =>
  Array.from({ length: count }, (_, i) => {
    const [invites, others] = [i % 5, (i * 7) % 3]
    return { invites, others, ms: baseMs + perInviteMs * invites + perOtherMs * others + (i % 2) * 0.1 }
  })

const told = (series: Record<string, Seen[]>, at = 0) =>
  Object.entries(series).reduce<QueueingHistory>(
    (all, [name, seen]) => observeQueueing(all, name, sumsOf(seen), at),
    new Map(),
  )

describe('the fit of response times on work', () => {
  it('finds what a proxy takes for one request, whatever the network adds', () => {
    for (const baseMs of [1, 80]) {
      const departures = departuresAt(told({ a: seenAt(12, 6, baseMs) }), 0)
      if (departures === undefined) throw new Error('nothing')
      const fit = fitWork(departures, 0.5)
      expect(fit?.slopeMs).toBeCloseTo(12, 1)
      expect(fit?.errorMs).toBeLessThan(0.1)
    }
  })

  it('holds each ingress and method against its own mean, so that a far one does not look slow', () => {
    const near = seenAt(12, 6, 1)
    const far = seenAt(12, 6, 200).map((one) => ({ ...one, invites: one.invites + 4, ms: one.ms + 48 }))
    const departures = departuresAt(told({ near, far }), 0)
    if (departures === undefined) throw new Error('nothing')
    expect(fitWork(departures, 0.5)?.slopeMs).toBeCloseTo(12, 1)
  })

  it('says nothing on few requests, nor where nothing was ever ahead', () => {
    expect(departuresAt(told({ a: seenAt(12, 6, 1, 9) }), 0)).toBeUndefined()
    const idle = departuresAt(told({ a: seenAt(0, 0, 5).map((one) => ({ ...one, invites: 0, others: 0 })) }), 0)
    expect(idle === undefined ? undefined : fitWork(idle, 0.5)).toBeUndefined()
  })

  it('forgets what is long past', () => {
    const before = told({ a: seenAt(12, 6, 1) })
    expect(departuresAt(before, 0)?.samples).toBe(60)
    expect(departuresAt(before, 300_000)).toBeUndefined()
    const changed = observeQueueing(before, 'a', sumsOf(seenAt(40, 20, 1)), 200_000)
    const departures = departuresAt(changed, 200_000)
    expect(departures === undefined ? undefined : fitWork(departures, 0.5)?.slopeMs).toBeCloseTo(40, 0)
  })
})

describe('sums that nobody can have seen', () => {
  const honest = sumsOf(seenAt(12, 6, 1))

  it.each([
    { what: 'too large for numbers', sums: { ...honest, ms: 1e308, ms2: 1e308 } },
    { what: 'squares less than the mean has them', sums: { ...honest, invites2: 1 } },
    { what: 'products larger than both squares', sums: { ...honest, invitesMs: honest.invitesMs * 10 } },
    { what: 'more requests than there are', sums: { ...honest, samples: Number.MAX_SAFE_INTEGER } },
  ])('change nothing: $what', ({ sums }) => {
    const before = observeQueueing(new Map(), 'a', honest, 0)
    expect(observeQueueing(before, 'a', sums, 0)).toBe(before)
  })
})

it('an ingress with a new name is heard once those that are gone have faded, however many there were', () => {
  let history: QueueingHistory = new Map()
  for (let i = 0; i < 64; i++) history = observeQueueing(history, `gone${i} INVITE`, sumsOf(seenAt(12, 6, 1)), 0)
  expect(observeQueueing(history, 'new INVITE', sumsOf(seenAt(12, 6, 1)), 0)).toBe(history)
  const later = observeQueueing(history, 'new INVITE', sumsOf(seenAt(12, 6, 1)), 600_000)
  expect([...later.keys()]).toEqual(['new INVITE'])
})
