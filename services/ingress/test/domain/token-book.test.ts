import { describe, expect, it } from 'vitest'
import { writeToken, type RouteToken } from '../../src/domain/route-token.ts'
import { TokenBook } from '../../src/domain/token-book.ts'
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

describe('a token book', () => {
  it('writes what route tokens are, by its first key', () => {
    expect(new TokenBook([key, retired]).write(token, 'call')).toBe(writeToken(token, 'call', key))
    expect(new TokenBook([]).write(token, 'call')).toBeUndefined()
  })

  it('reads its own, and those of a fellow, the second time as the first', () => {
    const book = new TokenBook([key, retired])
    for (const text of [book.write(token, 'call') ?? '', writeToken(token, 'call', retired)]) {
      expect(book.read(text, 'call')).toEqual(token)
      expect(book.read(text, 'call')).toEqual(token)
    }
  })

  it('takes a token it knows from no other call, and one that nobody signed from none', () => {
    const book = new TokenBook([key])
    const text = book.write(token, 'call') ?? ''
    expect(book.read(text, 'other')).toBeUndefined()
    expect(book.read(text, 'call')).toEqual(token)
    const forged = writeToken(token, 'call', stranger)
    expect(book.read(forged, 'call')).toBeUndefined()
    expect(book.read(forged, 'call')).toBeUndefined()
  })

  it('takes that of a registration from every call', () => {
    const book = new TokenBook([key])
    const text = book.write({ ...token, kind: 'registration' }, 'registering') ?? ''
    expect(book.read(text, 'other')).toMatchObject({ kind: 'registration' })
  })

  it('still reads what it has forgotten', () => {
    const book = new TokenBook([key])
    const text = book.write(token, 'call') ?? ''
    for (let i = 0; i < 60_001; i++) book.write(token, `call ${i}`)
    expect(book.read(text, 'call')).toEqual(token)
  })
})
