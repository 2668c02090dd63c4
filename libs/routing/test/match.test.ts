import { poolsConfig } from '@siplb/contracts'
import { describe, expect, it } from 'vitest'
import { createMatcher } from '../src/match.ts'
import { facts } from './support.ts'

const poolOf = (pools: unknown, more: Parameters<typeof facts>[0]) =>
  createMatcher(poolsConfig.parse(pools)).poolOf(facts(more))

describe('the pool of a request', () => {
  it('is one without match keys, whatever the request', () => {
    expect(poolOf({ default: {} }, {})).toBe('default')
  })

  it('is the first in file order that fits', () => {
    const pools = { phones: { match: { userPrefix: '+49' } }, all: {}, never: {} }
    expect(poolOf(pools, { requestUri: 'sip:+4930@example.com' })).toBe('phones')
    expect(poolOf(pools, { requestUri: 'sip:+3314@example.com' })).toBe('all')
  })

  it('is none when nothing fits', () => {
    expect(poolOf({ a: { match: { method: 'REGISTER' } } }, {})).toBeUndefined()
    expect(poolOf({}, {})).toBeUndefined()
  })

  it.each([
    [{ domain: 'Example.COM' }, { requestUri: 'sip:alice@eXample.com:5070' }, true],
    [{ domain: 'example.com' }, { requestUri: 'sip:alice@sub.example.com' }, false],
    [{ domain: ['example.org', 'example.com'] }, {}, true],
    [{ domain: '[2001:DB8::1]' }, { requestUri: 'sip:alice@[2001:db8::1]' }, true],
    [{ domain: 'example.com' }, { requestUri: 'tel:+49123' }, false],
    [{ userPrefix: '+49' }, { requestUri: 'tel:+49123' }, true],
    [{ userPrefix: '+49' }, { requestUri: 'sip:%2B49123@example.com' }, true],
    [{ userPrefix: ['00', '+'] }, { requestUri: 'sip:+1@example.com' }, true],
    [{ userPrefix: 'A' }, { requestUri: 'sip:alice@example.com' }, false],
    [{ method: 'INVITE' }, { method: 'INVITE' }, true],
    [{ method: 'INVITE' }, { method: 'invite' }, false],
    [{ source: '192.0.2.0/24' }, { source: '192.0.2.200' }, true],
    [{ source: ['10.0.0.0/8', '2001:db8::/32'] }, { source: '2001:db8::9' }, true],
    [{ source: '10.0.0.0/8' }, { source: '192.0.2.200' }, false],
    [{ source: '10.0.0.0/8' }, { source: '::ffff:10.0.0.1' }, true],
  ])('match %o on %o: %s', (match, more, expected) => {
    expect(poolOf({ it: { match } }, more)).toBe(expected ? 'it' : undefined)
  })

  it('must fit every given key', () => {
    const pools = { it: { match: { domain: 'example.com', method: ['INVITE', 'MESSAGE'], source: '192.0.2.0/24' } } }
    expect(poolOf(pools, {})).toBe('it')
    expect(poolOf(pools, { method: 'REGISTER' })).toBeUndefined()
    expect(poolOf(pools, { source: '10.0.0.1' })).toBeUndefined()
    expect(poolOf(pools, { requestUri: 'sip:example.net' })).toBeUndefined()
  })
})
