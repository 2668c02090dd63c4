import { describe, expect, it } from 'vitest'
import type { Asked } from '../../src/domain/overload-control.ts'
import type { RequestClass } from '../../src/domain/request-class.ts'
import { seeded } from '../seeded.ts'
import { Thinning } from '../../src/domain/thinning.ts'

const asked = (algorithm: Asked['algorithm'], value: number): Asked => ({ algorithm, value, until: 1e9, isOwn: true })

describe('a loss', () => {
  it.each([1, 7, 30, 50, 99, 100])('of %i %% leaves out so many of every hundred, give or take one', (percent) => {
    const thinning = new Thinning(seeded())
    for (let hundred = 0; hundred < 20; hundred++) {
      let left = 0
      for (let i = 0; i < 100; i++) if (!thinning.takes('px1', asked('loss', percent), 1, 'untrusted', 0)) left += 1
      expect(Math.abs(left - percent)).toBeLessThanOrEqual(1)
    }
  })

  it('keeps time with nothing that comes in turn', () => {
    const thinning = new Thinning(seeded())
    const left = [0, 0]
    for (let i = 0; i < 4000; i++)
      if (!thinning.takes('px1', asked('loss', 50), 1, 'untrusted', 0)) left[i % 2] = (left[i % 2] ?? 0) + 1
    for (const count of left) expect(Math.abs(count - 1000)).toBeLessThan(100)
  })

  it('leaves out another one for each that had to go there', () => {
    const thinning = new Thinning(seeded())
    const half = asked('loss', 50)
    for (let i = 0; i < 4; i++) thinning.went('px1', half, 1, 0)
    const taken = Array.from({ length: 6 }, () => thinning.takes('px1', half, 1, 'untrusted', 0))
    expect(taken.filter((one) => !one)).toHaveLength(5)
  })
})

describe('a rate', () => {
  /** How many of the requests that come every so many milliseconds go there in ten seconds. */
  function takenIn10s(perSecond: number, everyMs: number, requestClass: RequestClass = 'untrusted', share = 1): number {
    const thinning = new Thinning(seeded())
    let taken = 0
    for (let now = 0; now < 10_000; now += everyMs)
      if (thinning.takes('px1', asked('rate', perSecond), share, requestClass, now)) taken += 1
    return taken
  }

  it.each([
    { perSecond: 20, everyMs: 5, least: 200, most: 204 },
    { perSecond: 20, everyMs: 100, least: 100, most: 100 },
    { perSecond: 0, everyMs: 5, least: 0, most: 0 },
  ])(
    'of $perSecond is not passed by a request every $everyMs ms, nor left unused',
    ({ perSecond, everyMs, least, most }) => {
      const taken = takenIn10s(perSecond, everyMs)
      expect(taken).toBeGreaterThanOrEqual(least)
      expect(taken).toBeLessThanOrEqual(most)
    },
  )

  it('is shared where it was told to others', () => {
    expect(Math.abs(takenIn10s(20, 5, 'untrusted', 1 / 4) - 50)).toBeLessThanOrEqual(4)
  })

  it('leaves trusted sources the room first, and never stops an emergency call', () => {
    const thinning = new Thinning(seeded())
    const ten = asked('rate', 10)
    const taken = { untrusted: 0, trusted: 0 }
    for (let now = 0; now < 60_000; now += 50) {
      const requestClass = (now / 50) % 2 === 0 ? 'untrusted' : 'trusted'
      if (thinning.takes('px1', ten, 1, requestClass, now)) taken[requestClass] += 1
    }
    expect(taken.trusted).toBeGreaterThan(590)
    expect(taken.untrusted).toBeLessThan(12)
    expect(takenIn10s(0, 100, 'emergency')).toBe(100)
  })
})

it('a rate that was almost nothing, and rises, holds from then on', () => {
  const thinning = new Thinning(seeded())
  for (let i = 0; i < 3; i++) thinning.takes('px1', asked('rate', 0.01), 1, 'untrusted', 0)
  expect(thinning.takes('px1', asked('rate', 0.01), 1, 'untrusted', 0)).toBe(false)
  let taken = 0
  for (let at = 10; at <= 1000; at += 10) if (thinning.takes('px1', asked('rate', 100), 1, 'untrusted', at)) taken += 1
  expect(taken).toBeGreaterThan(95)
})
