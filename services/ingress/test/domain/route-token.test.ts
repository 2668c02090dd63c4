import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readToken, tagHash, writeToken, type RouteToken, type TokenKey } from '../../src/domain/route-token.ts'
import { createTokenKey } from '../../src/shell/token-keys.ts'

const key = createTokenKey('0123456789abcdef0123456789abcdef')
const otherKey = createTokenKey('fedcba9876543210fedcba9876543210')
const token: RouteToken = {
  kind: 'inbound',
  pool: 'default',
  proxy: 'px1',
  callerTag: tagHash('alice'),
  instance: 'ingress-1',
  worker: 3,
  flow: '',
}

const slug = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,31}$/)
const tokens = fc.record({
  kind: fc.constantFrom('inbound', 'registration', 'outbound'),
  pool: slug,
  proxy: slug,
  callerTag: fc.integer({ min: 0, max: 0xffff_ffff }),
  instance: slug,
  worker: fc.integer({ min: 0, max: 255 }),
  flow: fc.constantFrom('', 'tcp:192.0.2.1:5060', 'tls:[2001:db8::1]:50611'),
})

describe('a route token', () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(tokens, fc.string({ unit: 'binary-ascii' }), (one, callId) => {
        expect(readToken(writeToken(one, callId, key), callId, [key])).toEqual(one)
      }),
    )
  })

  it('can stand in the user part of a SIP URI', () => {
    fc.assert(
      fc.property(tokens, (one) => {
        expect(writeToken(one, 'c', key)).toMatch(/^[A-Za-z0-9_-]+$/)
      }),
    )
  })

  it('is refused with any one bit of it flipped', () => {
    const bytes = Buffer.from(writeToken(token, 'call', key), 'base64url')
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const forged = Buffer.from(bytes)
      forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(readToken(forged.toString('base64url'), 'call', [key]), `bit ${bit}`).toBeUndefined()
    }
  })

  it('is refused for another Call-ID', () => {
    expect(readToken(writeToken(token, 'call', key), 'call2', [key])).toBeUndefined()
  })

  it('of a registration holds for every Call-ID, and cannot be passed off as one of a dialog', () => {
    const written = writeToken({ ...token, kind: 'registration' }, 'call', key)
    expect(readToken(written, 'another call', [key])).toMatchObject({ kind: 'registration' })
    const forged = Buffer.from(written, 'base64url')
    forged[0] = 1
    expect(readToken(forged.toString('base64url'), '', [key])).toBeUndefined()
  })

  it('is refused when a key signed it that is not known', () => {
    expect(readToken(writeToken(token, 'call', otherKey), 'call', [key])).toBeUndefined()
  })

  it('verifies by the previous key after a new one has come', () => {
    expect(readToken(writeToken(token, 'call', otherKey), 'call', [key, otherKey])).toEqual(token)
  })

  it('verifies by the previous key also where both keys happen to have one id', () => {
    const twin: TokenKey = { id: otherKey.id, mac: (payload, callId) => key.mac(payload, callId) }
    expect(readToken(writeToken(token, 'call', otherKey), 'call', [twin, otherKey])).toEqual(token)
  })

  it('is refused when lengths in it lead out of it, though it is signed', () => {
    const payload = Buffer.from(writeToken(token, 'call', key), 'base64url').subarray(0, -8)
    payload[7] = 200
    const signed = Buffer.concat([payload, key.mac(payload, 'call').subarray(0, 8)]).toString('base64url')
    expect(readToken(signed, 'call', [key])).toBeUndefined()
  })

  it('is refused when there is more in it than was written, though it is signed', () => {
    const payload = Buffer.concat([
      Buffer.from(writeToken(token, 'call', key), 'base64url').subarray(0, -8),
      Buffer.of(0),
    ])
    const signed = Buffer.concat([payload, key.mac(payload, 'call').subarray(0, 8)]).toString('base64url')
    expect(readToken(signed, 'call', [key])).toBeUndefined()
  })

  it('is nothing that a stranger wrote', () => {
    const texts = fc.oneof(fc.string(), fc.base64String({ maxLength: 1000 }), fc.constant('a'.repeat(5000)))
    fc.assert(
      fc.property(texts, (text) => {
        expect(readToken(text, 'call', [key])).toBeUndefined()
      }),
    )
  })
})

it('a tag hash is an unsigned number of 32 bits that tells tags apart', () => {
  expect(tagHash('alice')).not.toBe(tagHash('alicf'))
  fc.assert(
    fc.property(fc.string(), (tag) => {
      expect(tagHash(tag)).toBe(tagHash(tag) >>> 0)
    }),
  )
})
