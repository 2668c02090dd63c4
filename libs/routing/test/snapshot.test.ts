import { poolConfig, weightTable } from '@siplb/contracts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { buildSnapshot, tableFromConfig } from '../src/snapshot.ts'
import { row, rows, table } from './support.ts'

const drawable = (...proxies: ReturnType<typeof row>[]) =>
  buildSnapshot(table(proxies)).urn.entries.map(({ candidate }) => candidate.proxy)

describe('a snapshot', () => {
  it('carries what the table says of the pool', () => {
    const snapshot = buildSnapshot(
      table(rows(1), { pool: 'a', epoch: 3, seq: 7, policy: 'rendezvous', strict: true, costs: { BYE: 0.5 } }),
    )
    expect(snapshot).toMatchObject({
      pool: 'a',
      epoch: 3,
      seq: 7,
      policy: 'rendezvous',
      strict: true,
      costs: { BYE: 0.5 },
    })
  })

  it('draws from those with a weight and finds the others too', () => {
    const proxies = [row('up', 10), row('out', 0, { state: 'down', baseWeight: 10 })]
    const snapshot = buildSnapshot(table(proxies))
    expect(drawable(...proxies)).toEqual(['up'])
    expect(snapshot.find('out')?.state).toBe('down')
    expect(snapshot.find('nobody')).toBeUndefined()
  })

  it('is empty when nobody has a weight', () => {
    expect(buildSnapshot(table([])).isEmpty).toBe(true)
    expect(buildSnapshot(table([row('out', 0)])).isEmpty).toBe(true)
    expect(buildSnapshot(table([row('up', 0.001)])).isEmpty).toBe(false)
  })

  it('draws each proxy for the part of [0, 1) that is its share', () => {
    const weights = fc.array(fc.double({ min: 1e-3, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 40 })
    fc.assert(
      fc.property(weights, fc.constantFrom('least-work', 'weighted-random'), (given, policy) => {
        const { urn } = buildSnapshot(table(rows(...given), { policy }))
        const total = given.reduce((sum, weight) => sum + weight, 0)
        const steps = 4000
        const seen = new Map<string, number>()
        for (let i = 0; i < steps; i++) {
          const id = urn.draw((i + 0.5) / steps)?.candidate.proxy ?? 'nobody'
          seen.set(id, (seen.get(id) ?? 0) + 1)
        }
        // An alias table cuts a share into as many pieces as there are proxies; each piece is off by one step at most.
        const pieces = policy === 'least-work' ? 1 : given.length + 1
        return given.every(
          (weight, i) => Math.abs((seen.get(`px${i}`) ?? 0) - (steps * weight) / total) <= pieces + 1e-6,
        )
      }),
    )
  })
})

describe('tiers', () => {
  const backup = row('backup', 100, { tier: 2 })
  const tier1 = (...weights: number[]) => weights.map((weight, i) => row(`px${i}`, weight, { baseWeight: 100 }))

  it('leave the next one alone while a tier has at least 1/1.4 of its base weight', () => {
    expect(drawable(...tier1(100, 100), backup)).toEqual(['px0', 'px1'])
    expect(drawable(...tier1(100, 100, 100, 100, 100, 0, 0), backup)).toEqual(['px0', 'px1', 'px2', 'px3', 'px4'])
  })

  it('bring in the next one below that', () => {
    expect(drawable(...tier1(100, 42), backup)).toEqual(['px0', 'px1', 'backup'])
    expect(drawable(...tier1(100, 100, 100, 100, 99, 0, 0), backup)).toContain('backup')
  })

  it('go on to the next one when a tier is gone', () => {
    expect(drawable(...tier1(0, 0), backup)).toEqual(['backup'])
    expect(drawable(row('zero', 0), backup)).toEqual(['backup'])
  })

  it('come one after the other, whatever their order and numbers', () => {
    const far = row('far', 1, { tier: 10 })
    expect(drawable(far, row('px', 0, { baseWeight: 1 }), row('near', 1, { tier: 7 }))).toEqual(['near'])
    expect(drawable(far, row('px', 0, { baseWeight: 1 }), row('near', 1, { tier: 7, baseWeight: 2 }))).toEqual([
      'near',
      'far',
    ])
  })
})

describe('the table of a pool that nothing was heard of', () => {
  const config = poolConfig.parse({
    policy: 'two-choices',
    strict: true,
    proxies: [{ id: 'px1', uri: 'sip:10.0.0.1', weight: 30, tier: 2 }],
  })

  it('fits the contract', () => {
    expect(weightTable.parse(tableFromConfig('a', config))).toEqual(tableFromConfig('a', config))
  })

  it('has base weights and is older than any other', () => {
    expect(tableFromConfig('a', config)).toMatchObject({
      pool: 'a',
      epoch: 0,
      seq: 0,
      policy: 'two-choices',
      strict: true,
      proxies: [
        { id: 'px1', uri: 'sip:10.0.0.1', weight: 30, baseWeight: 30, tier: 2, state: 'unknown', restricted: false },
      ],
    })
  })
})
