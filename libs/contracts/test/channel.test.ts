import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { eventChannels, paramsOf, proxyStateChanged, requestChannels, subjectOf } from '@siplb/contracts'

describe('a subject', () => {
  it('is the prefix and the address with its parameters filled in', () => {
    expect(subjectOf('siplb.v1', 'evt.sip.received')).toBe('siplb.v1.evt.sip.received')
    expect(subjectOf('lab.east.v1', proxyStateChanged.address, { pool: 'main', proxy: 'px1' })).toBe(
      'lab.east.v1.evt.proxy.state.main.px1',
    )
  })

  it('may have a wildcard for a parameter', () => {
    expect(subjectOf('siplb.v1', 'evt.load.{pool}', { pool: '*' })).toBe('siplb.v1.evt.load.*')
  })

  it('is refused while a parameter is missing', () => {
    expect(() => subjectOf('siplb.v1', 'evt.load.{pool}')).toThrow('parameter {pool} of "evt.load.{pool}" is missing')
  })

  it('gives its parameters back, whatever the prefix', () => {
    const slug = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,31}$/)
    const prefix = fc.array(slug, { minLength: 1, maxLength: 3 }).map((tokens) => tokens.join('.'))
    fc.assert(
      fc.property(prefix, slug, slug, (start, pool, proxy) => {
        const { address } = proxyStateChanged
        expect(paramsOf(start, address, subjectOf(start, address, { pool, proxy }))).toEqual({ pool, proxy })
      }),
    )
  })
})

describe('the channels', () => {
  it('have an address each', () => {
    const addresses = [...eventChannels, ...requestChannels].map(({ address }) => address)
    expect(new Set(addresses).size).toBe(addresses.length)
  })

  it('have a versioned event type each', () => {
    const types = eventChannels.map(({ type }) => type)
    expect(new Set(types).size).toBe(types.length)
    for (const type of types) expect(type).toMatch(/^siplb\.[a-z.-]+\.v\d+$/)
  })
})
