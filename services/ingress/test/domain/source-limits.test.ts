import { ingressLimits } from '@siplb/contracts'
import { describe, expect, it } from 'vitest'
import { SourceLimits, type OverLimit } from '../../src/domain/source-limits.ts'

const limits = (given: object = {}) => new SourceLimits(ingressLimits.parse(given))

/** What so many requests of a source at one time met, by name; `undefined` for those that were let through. */
function met(made: SourceLimits, address: string, count: number, now: number, isConnected = false) {
  const found = new Map<OverLimit | undefined, number>()
  for (let i = 0; i < count; i++) {
    const over = made.take(address, isConnected, now)
    found.set(over, (found.get(over) ?? 0) + 1)
  }
  return found
}

describe('the limits of sources', () => {
  it('hold an address that floods to its rate', () => {
    const made = limits({ strangers: { burst: 100_000, perSecond: 100_000 } })
    let through = 0
    for (let now = 0; now < 10_000; now++) through += met(made, '192.0.2.1', 5, now).get(undefined) ?? 0
    expect(through).toBeGreaterThanOrEqual(2390)
    expect(through).toBeLessThanOrEqual(2400)
  })

  it('hold a network in which each address keeps within its own limit', () => {
    const made = limits({ perNetwork: { perSecond: 10, burst: 10 } })
    let through = 0
    for (let host = 1; host < 255; host++) through += met(made, `192.0.2.${host}`, 1, 0).get(undefined) ?? 0
    expect(through).toBe(10)
    expect(made.take('192.0.3.1', false, 0)).toBeUndefined()
    expect(made.take('2001:db8::1', false, 0)).toBeUndefined()
  })

  it('know the /64 of an IPv6 address for its network', () => {
    const made = limits({ perNetwork: { perSecond: 1, burst: 1 } })
    expect(made.take('2001:db8:0:1::1', false, 0)).toBeUndefined()
    expect(made.take('2001:db8:0:1:ffff::2', false, 0)).toBe('rate-of-network')
    expect(made.take('2001:db8:0:2::1', false, 0)).toBeUndefined()
  })

  it('hold invented addresses all together, and let through who is proven, whatever they do', () => {
    const made = limits({ strangers: { perSecond: 500, burst: 1000 } })
    made.prove('192.0.2.1', 0)
    let invented = 0
    let real = 0
    for (let now = 0; now < 10_000; now++) {
      for (let i = 0; i < 5; i++) {
        const n = now * 5 + i
        invented += made.take(`10.${n % 199}.${n % 251}.${n % 241}`, false, now) === undefined ? 1 : 0
      }
      if (now % 20 === 0) real += made.take('192.0.2.1', false, now) === undefined ? 1 : 0
    }
    expect(real).toBe(500)
    expect(invented).toBeLessThanOrEqual(6000)
    expect(invented).toBeGreaterThanOrEqual(5900)
  })

  it('let no bad neighbour lock out who is proven', () => {
    const made = limits({ perNetwork: { perSecond: 1, burst: 5 } })
    made.prove('192.0.2.1', 0)
    expect(met(made, '192.0.2.66', 10, 0).get('rate-of-network')).toBe(5)
    expect(made.take('192.0.2.1', false, 0)).toBeUndefined()
  })

  it('count nobody as a stranger who has a connection', () => {
    const made = limits({ strangers: { perSecond: 1, burst: 1 } })
    expect(met(made, '192.0.2.1', 10, 0, true).get(undefined)).toBe(10)
    expect(made.take('192.0.2.2', false, 0)).toBeUndefined()
    expect(made.take('192.0.2.3', false, 0)).toBe('rate-of-strangers')
  })

  it('take from no bucket when another one is empty', () => {
    const made = limits({ perAddress: { perSecond: 1, burst: 2 }, strangers: { perSecond: 1, burst: 2 } })
    expect(met(made, '192.0.2.1', 2, 0).get(undefined)).toBe(2)
    expect(met(made, '192.0.2.2', 10, 0).get('rate-of-strangers')).toBe(10)
    made.prove('192.0.2.2', 0)
    expect(met(made, '192.0.2.2', 2, 0).get(undefined)).toBe(2)
  })

  it('take an address for proven for an hour after it last showed it, whatever else comes', () => {
    const made = limits()
    made.prove('192.0.2.1', 0)
    made.prove('192.0.2.2', 3_500_000)
    made.prove('192.0.2.1', 3_600_000)
    made.prove('192.0.2.3', 7_200_000)
    expect(['192.0.2.1', '192.0.2.2', '192.0.2.3'].map((one) => made.isProven(one))).toEqual([true, false, true])
  })

  it('let ordinary load through: a trunk at 150 requests/s, and bursts of it', () => {
    const made = limits()
    made.prove('192.0.2.1', 0)
    for (let now = 0; now < 60_000; now += 100) {
      const burst = now % 10_000 === 0 ? 100 : 0
      expect(met(made, '192.0.2.1', 15 + burst, now).get(undefined)).toBe(15 + burst)
    }
  })
})
