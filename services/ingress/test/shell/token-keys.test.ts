import { createHmac } from 'node:crypto'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTokenKey, keptSecret } from '../../src/shell/token-keys.ts'

describe('a token key', () => {
  it('makes the HMAC-SHA-256 of the payload, with its length, and the Call-ID, whatever the length of the secret', () => {
    const secrets = fc.oneof(fc.string(), fc.string({ minLength: 60, maxLength: 70 }), fc.string({ minLength: 200 }))
    const callIds = fc.oneof(
      fc.string({ unit: 'binary-ascii' }),
      fc.string({ unit: 'binary-ascii', minLength: 900, maxLength: 1100 }),
    )
    fc.assert(
      fc.property(secrets, fc.uint8Array({ maxLength: 200 }), callIds, (secret, payload, callId) => {
        const length = Buffer.of(0, payload.length)
        const expected = createHmac('sha256', secret).update(length).update(payload).update(callId, 'latin1').digest()
        expect(createTokenKey(secret).mac(Buffer.from(payload), callId)).toEqual(expected)
      }),
    )
  })

  it('takes no octet of the Call-ID for one of the payload', () => {
    const { mac } = { mac: (payload: string, callId: string) => createTokenKey('x').mac(Buffer.from(payload), callId) }
    expect(mac('ab', 'c')).not.toEqual(mac('a', 'bc'))
  })

  it('has an id by its secret', () => {
    expect(createTokenKey('a'.repeat(32)).id).toBe(createTokenKey('a'.repeat(32)).id)
    expect(createTokenKey('a'.repeat(32)).id).not.toBe(createTokenKey('b'.repeat(32)).id)
  })
})

describe('the secret that is kept', () => {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'siplb-key-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))

  it('is made once, where nobody else can read it', () => {
    const made = keptSecret(join(folder, 'new', 'state'))
    expect(made).toMatch(/^[0-9a-f]{64}$/)
    expect(keptSecret(join(folder, 'new', 'state'))).toBe(made)
    expect(statSync(join(folder, 'new', 'state', 'token.key')).mode & 0o077).toBe(0)
  })

  it('is another one in another folder', () => {
    expect(keptSecret(join(folder, 'a'))).not.toBe(keptSecret(join(folder, 'b')))
  })

  it('is what the operator wrote there', () => {
    writeFileSync(join(folder, 'token.key'), 'mine, and long enough for anybody\n')
    expect(keptSecret(folder)).toBe('mine, and long enough for anybody')
  })

  it('is a problem where there can be no folder', () => {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    expect(() => keptSecret(file)).toThrow(/EEXIST|ENOTDIR/)
  })
})
