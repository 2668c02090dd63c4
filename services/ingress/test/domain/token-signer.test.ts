import { describe, expect, it } from 'vitest'
import { writeToken, type RouteToken } from '../../src/domain/route-token.ts'
import { TokenSigner } from '../../src/domain/token-signer.ts'
import { createTokenKey } from '../../src/shell/token-keys.ts'

const key = createTokenKey('0123456789abcdef0123456789abcdef')
const retired = createTokenKey('fedcba9876543210fedcba9876543210')
const stranger = createTokenKey('00000000000000000000000000000000')
const token: RouteToken = {
  kind: 'inbound',
  pool: 'default',
  proxy: 'px1',
  callerTag: 7,
  instance: 'ingress-1',
  worker: 0,
  flow: '',
}

describe('a token signer', () => {
  it('writes what route tokens are, by its first key', () => {
    expect(new TokenSigner([key, retired]).write(token, 'call')).toBe(writeToken(token, 'call', key))
    expect(new TokenSigner([]).write(token, 'call')).toBeUndefined()
  })

  it('reads its own, and those of a fellow who has the retired key', () => {
    const signer = new TokenSigner([key, retired])
    for (const text of [signer.write(token, 'call') ?? '', writeToken(token, 'call', retired)]) {
      expect(signer.read(text, 'call')).toEqual(token)
    }
  })

  it('takes a token from no other call, and one that nobody signed from none', () => {
    const signer = new TokenSigner([key])
    const text = signer.write(token, 'call') ?? ''
    expect(signer.read(text, 'other')).toBeUndefined()
    expect(signer.read(text, 'call')).toEqual(token)
    const forged = writeToken(token, 'call', stranger)
    expect(signer.read(forged, 'call')).toBeUndefined()
  })

  it('takes that of a registration from every call', () => {
    const signer = new TokenSigner([key])
    const text = signer.write({ ...token, kind: 'registration' }, 'registering') ?? ''
    expect(signer.read(text, 'other')).toMatchObject({ kind: 'registration' })
  })

  it('takes a user name for what it is', () => {
    expect(new TokenSigner([key]).read('alice', 'call')).toBeUndefined()
  })
})
