import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createNetworks, networkOf } from '../src/networks.ts'

describe('networks', () => {
  it.each([
    ['10.0.0.0/8', '10.255.1.2', true],
    ['10.0.0.0/8', '11.0.0.1', false],
    ['10.1.2.128/25', '10.1.2.129', true],
    ['10.1.2.128/25', '10.1.2.127', false],
    ['192.0.2.7', '192.0.2.7', true],
    ['192.0.2.7', '192.0.2.8', false],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['::/0', '2001:db8::1', true],
    ['::/0', '203.0.113.9', false],
    ['2001:db8::/32', '2001:DB8:ffff::1', true],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['2001:db8::1', '2001:db8:0:0:0:0:0:1', true],
    ['::1/128', '::1', true],
    ['fe80::/10', 'fe80::1%eth0', true],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['10.0.0.0/8', '::ffff:a01:203', true],
    ['::ffff:10.0.0.0/104', '10.1.2.3', true],
    ['::ffff:10.0.0.0/104', '11.1.2.3', false],
  ])('%s, asked for %s, says %s', (network, address, expected) => {
    expect(createNetworks([network]).has(address)).toBe(expected)
  })

  it('holds an address that is in any of its networks', () => {
    const networks = createNetworks(['10.0.0.0/8', '2001:db8::/32'])
    expect(networks.has('10.0.0.1')).toBe(true)
    expect(networks.has('2001:db8::1')).toBe(true)
    expect(networks.has('192.0.2.1')).toBe(false)
  })

  it.each([
    '',
    'localhost',
    '10.0.0',
    '10.0.0.256',
    '1.2.3.4.5',
    '1:2',
    '1::2::3',
    '::12345',
    ':::',
    '1:2:3:4:5:6:7:8:9',
  ])('takes "%s" for no address', (text) => {
    expect(createNetworks(['0.0.0.0/0', '::/0']).has(text)).toBe(false)
  })

  it.each(['10.0.0.0/33', '10.0.0.0/', '10.0.0.0/x', '::/129', 'example.com', '/8'])(
    'refuses the network "%s"',
    (text) => {
      expect(() => createNetworks([text])).toThrow(RangeError)
    },
  )

  it('agrees with arithmetic on whole addresses', () => {
    const address = fc.integer({ min: 0, max: 2 ** 32 - 1 })
    fc.assert(
      fc.property(address, address, fc.integer({ min: 0, max: 32 }), (network, other, bits) => {
        const size = 2 ** (32 - bits)
        const expected = Math.floor(network / size) === Math.floor(other / size)
        return createNetworks([`${dotted(network)}/${bits}`]).has(dotted(other)) === expected
      }),
    )
  })
})

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join('.')
}

describe('the network of an address', () => {
  it.each([
    ['192.0.2.77', '192.0.2.1', true],
    ['192.0.2.77', '192.0.3.77', false],
    ['2001:db8:0:1::1', '2001:db8:0:1:2:3:4:5', true],
    ['2001:db8:0:1::1', '2001:db8:0:2::1', false],
    ['::ffff:192.0.2.1', '192.0.2.9', true],
    ['not an address', 'not an address', true],
  ])('of %s and of %s: the same is %s', (one, other, isSame) => {
    expect(networkOf(one) === networkOf(other)).toBe(isSame)
  })
})
