import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { responseFactors, type Measured, type ResponseEvidence } from '../src/factors/response-factor.ts'
import type { LevelNow } from '../src/signals/response-level.ts'

const rules = { toleranceMs: 5, floor: 0.02 }
const steady = (ms: number): LevelNow => ({ typicalMs: ms, lastingMs: ms, crestMs: ms })
const probed = (ms: number): ResponseEvidence => ({ probe: steady(ms), live: new Map(), capacity: 1 })
const live = (methods: Record<string, [ms: number, evidence: number]>, probeMs?: number): ResponseEvidence => ({
  capacity: 1,
  probe: probeMs === undefined ? undefined : steady(probeMs),
  live: new Map(
    Object.entries(methods).map(([m, [ms, evidence]]): [string, Measured] => [m, { ...steady(ms), evidence }]),
  ),
})
const factorsOf = (...pool: ResponseEvidence[]) => responseFactors(pool, rules).map((one) => one?.factor)

const level = fc
  .tuple(fc.double({ min: 0.05, max: 2000, noNaN: true }), fc.double({ min: 1, max: 3, noNaN: true }))
  .map(([ms, spread]): LevelNow => ({ typicalMs: ms * spread, lastingMs: ms, crestMs: ms * spread * spread }))
const evidence = fc.record({
  capacity: fc.double({ min: 0.05, max: 16, noNaN: true }),
  probe: fc.option(level, { nil: undefined }),
  live: fc
    .dictionary(fc.constantFrom('INVITE', 'REGISTER'), fc.tuple(level, fc.double({ min: 0, max: 300, noNaN: true })))
    .map((by) => new Map(Object.entries(by).map(([m, [one, n]]): [string, Measured] => [m, { ...one, evidence: n }]))),
})

describe('the response-time factor', () => {
  it('is exactly 1 for proxies that are alike', () => {
    expect(factorsOf(probed(12), probed(12), probed(12))).toEqual([1, 1, 1])
  })

  it('is exactly 1 within the tolerance, and falls beyond it', () => {
    expect(factorsOf(probed(2), probed(7), probed(2))).toEqual([1, 1, 1])
    expect(factorsOf(probed(2), probed(9), probed(2))[1]).toBeLessThan(0.8)
  })

  it('does not take 5 ms of 200 ms for a difference', () => {
    expect(factorsOf(probed(200), probed(245), probed(200))).toEqual([1, 1, 1])
  })

  it('gives a proxy three times slower than allowed a third, and one ten times slower the floor', () => {
    expect(factorsOf(probed(80), probed(300), probed(80), probed(80))[1]).toBeCloseTo(1 / 3)
    expect(factorsOf(probed(50), probed(500), probed(50), probed(50))[1]).toBe(0.02)
  })

  it('takes the quick one of two for the measure', () => {
    const [quick, slow] = factorsOf(probed(20), probed(200))
    expect(quick).toBe(1)
    expect(slow).toBeLessThan(0.15)
  })

  it('lets real traffic outweigh probes when there is enough of it', () => {
    const [slow] = factorsOf(
      live({ INVITE: [300, 50] }, 5),
      live({ INVITE: [10, 50] }, 5),
      live({ INVITE: [10, 50] }, 5),
    )
    expect(slow).toBeLessThan(0.08)
    const [few] = factorsOf(live({ INVITE: [300, 1] }, 5), live({ INVITE: [10, 1] }, 5), live({ INVITE: [10, 1] }, 5))
    expect(few).toBe(1)
  })

  it('holds INVITE against INVITE: a method that is slow everywhere slows nobody', () => {
    const mixed = live({ INVITE: [5, 20], REGISTER: [80, 80] })
    const invitesOnly = live({ INVITE: [5, 100] })
    const registersOnly = live({ REGISTER: [80, 100] })
    expect(factorsOf(mixed, invitesOnly, registersOnly, invitesOnly, registersOnly)).toEqual([1, 1, 1, 1, 1])
  })

  it('says nothing of a proxy without figures, nor of one that has no other to be compared with', () => {
    expect(factorsOf({ probe: undefined, live: new Map(), capacity: 1 }, probed(900))).toEqual([undefined, undefined])
  })

  it('is 1 for the only proxy of a pool', () => {
    expect(factorsOf(probed(900))).toEqual([1])
  })

  it('allows a proxy of half the capacity twice the time, and one of a tenth not ten times', () => {
    const [, half] = factorsOf(probed(40), { ...probed(95), capacity: 0.5 }, probed(40), probed(40))
    expect(half).toBe(1)
    const [, tenth] = factorsOf(probed(40), { ...probed(400), capacity: 0.1 }, probed(40), probed(40))
    expect(tenth).toBeLessThan(0.3)
  })

  it('does not take a queue that comes and goes for slowness', () => {
    const busy: ResponseEvidence = {
      probe: { typicalMs: 60, lastingMs: 20, crestMs: 90 },
      live: new Map(),
      capacity: 1,
    }
    const calm: ResponseEvidence = {
      probe: { typicalMs: 20, lastingMs: 10, crestMs: 70 },
      live: new Map(),
      capacity: 1,
    }
    expect(factorsOf(busy, calm, calm)).toEqual([1, 1, 1])
  })

  it('stays within floor and 1', () => {
    fc.assert(
      fc.property(fc.array(evidence, { minLength: 1, maxLength: 6 }), (pool) => {
        for (const factor of factorsOf(...pool)) {
          if (factor === undefined) continue
          expect(factor).toBeGreaterThanOrEqual(rules.floor)
          expect(factor).toBeLessThanOrEqual(1)
        }
      }),
    )
  })

  it('never gives a slower proxy more', () => {
    const ms = fc.double({ min: 0.05, max: 2000, noNaN: true })
    fc.assert(
      fc.property(fc.array(ms, { minLength: 1, maxLength: 6 }), ms, ms, (others, a, b) => {
        const [slow, slower] = [Math.min(a, b), Math.max(a, b)].map(
          (own) => factorsOf(probed(own), ...others.map(probed))[0],
        )
        expect(slower).toBeLessThanOrEqual((slow ?? 1) + 1e-12)
      }),
    )
  })
})
