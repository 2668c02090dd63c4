import { describe, expect, it } from 'vitest'
import { ConnectionCount } from '../../src/transport/connection-count.ts'

describe('the count of connections', () => {
  it('has all addresses of a /64 for one: they are all one subscriber’s', () => {
    const count = new ConnectionCount({ connections: 10, perAddress: 2 })
    expect(count.enter('2001:db8::1', false)).toBeUndefined()
    expect(count.enter('2001:db8::2:0:0:1', false)).toBeUndefined()
    expect(count.enter('2001:db8:0:0:ffff::2', false)).toBe('address-limit')
    expect(count.enter('2001:db8:0:1::1', false)).toBeUndefined()
    expect(count.enter('::1', false)).toBeUndefined()
    count.leave('2001:db8:0:0:1:2:3:4', false)
    expect(count.enter('2001:db8::7', false)).toBeUndefined()
  })

  it('has room for who is exempt, however many others there are, and takes none from them', () => {
    const count = new ConnectionCount({ connections: 2, perAddress: 2 })
    for (let i = 0; i < 3; i++) expect(count.enter('192.0.2.1', true)).toBeUndefined()
    expect(count.enter('192.0.2.2', false)).toBeUndefined()
    expect(count.enter('192.0.2.3', false)).toBeUndefined()
    expect(count.enter('192.0.2.4', false)).toBe('connection-limit')
    expect(count.enter('192.0.2.1', true)).toBeUndefined()
    expect(count.size).toBe(6)
    count.leave('192.0.2.1', true)
    expect(count.enter('192.0.2.4', false)).toBe('connection-limit')
    count.leave('192.0.2.2', false)
    expect(count.enter('192.0.2.4', false)).toBeUndefined()
    expect(count.size).toBe(5)
  })
})
