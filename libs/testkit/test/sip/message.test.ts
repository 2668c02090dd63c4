import { describe, expect, it } from 'vitest'
import { addressOf, paramOf, printMessage, readMessage, uriOf, valuesOf } from '../../src/sip/message.ts'

const bytes = (text: string) => new TextEncoder().encode(text.replaceAll('\n', '\r\n'))

describe('reading SIP as text', () => {
  it('gives one value per line, whether they came with commas, folded or by a short name', () => {
    const message = readMessage(
      bytes(
        'SIP/2.0 180 Ringing\nv: SIP/2.0/UDP a;branch=1, SIP/2.0/UDP b;branch=2\nRoute: <sip:x;lr>,\n <sip:y,z;lr>\nl: 0\n\n',
      ),
    )
    expect(message).toMatchObject({ kind: 'response', status: 180, reason: 'Ringing' })
    expect(message && valuesOf(message, 'via')).toEqual(['SIP/2.0/UDP a;branch=1', 'SIP/2.0/UDP b;branch=2'])
    expect(message && valuesOf(message, 'Route')).toEqual(['<sip:x;lr>', '<sip:y,z;lr>'])
  })

  it('prints what it has read, with the length of the body in bytes', () => {
    const text = 'MESSAGE sip:b SIP/2.0\nTo: <sip:b>\nContent-Length: 6\n\ngrüß'
    const message = readMessage(bytes(text))
    expect(message && printMessage(message)).toBe(text.replaceAll('\n', '\r\n'))
  })

  it('takes what is no SIP message for none', () => {
    expect(readMessage(bytes('\n\n'))).toBeUndefined()
    expect(readMessage(bytes('hello there\n\n'))).toBeUndefined()
  })

  it('finds host, port, URI and parameters', () => {
    expect(addressOf('sip:bob@10.0.0.1:5070;lr')).toEqual({ address: '10.0.0.1', port: 5070 })
    expect(addressOf('SIP/2.0/UDP [::1]:5071;branch=x')).toEqual({ address: '::1', port: 5071 })
    expect(addressOf('sip:example.com')).toEqual({ address: 'example.com', port: 5060 })
    expect(uriOf('"B, C" <sip:b;lr>;tag=1')).toBe('sip:b;lr')
    expect(paramOf('<sip:b;tag=inner>;tag=1', 'tag')).toBe('1')
    expect(paramOf('SIP/2.0/UDP a;rport;branch=x', 'rport')).toBe('')
  })
})
