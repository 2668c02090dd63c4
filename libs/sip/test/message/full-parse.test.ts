import { SipError, buildRequest, scan } from '@siplb/sip'
import type { RequestSpec } from '@siplb/sip'
import { describe, expect, it } from 'vitest'

const options: RequestSpec = {
  method: 'OPTIONS',
  uri: 'sip:192.0.2.5:5080',
  via: { transport: 'UDP', sentBy: '[2001:db8::1]:5070', branch: 'z9hG4bKprobe', params: { rport: '' } },
  from: '<sip:probe@lb.example.com>;tag=1',
  to: '<sip:192.0.2.5:5080>',
  callId: 'c1',
  cseq: 3,
  contact: '<sip:probe@lb.example.com>',
  headers: [['Accept', 'application/sdp']],
}

describe('a request of our own', () => {
  it('reads back as it was meant', () => {
    const request = scan(buildRequest(options))
    expect(request).toMatchObject({
      kind: 'request',
      method: 'OPTIONS',
      requestUri: 'sip:192.0.2.5:5080',
      maxForwards: 70,
      callId: 'c1',
      cseq: { number: 3, method: 'OPTIONS' },
      from: { uri: 'sip:probe@lb.example.com', tag: '1' },
      topVia: { sentBy: '[2001:db8::1]:5070', branch: 'z9hG4bKprobe', rport: '' },
    })
  })

  it('counts the octets of its body, not the characters', () => {
    const body = Buffer.from('é')
    const request = scan(buildRequest({ ...options, body }))
    if (request.kind !== 'request') throw new Error('not taken')
    expect(request.bytes.subarray(request.bodyStart)).toEqual(body)
  })

  it('leaves its description as it was', () => {
    const copy = structuredClone(options)
    buildRequest(options)
    expect(options).toEqual(copy)
  })

  it.each<[string, Partial<RequestSpec>]>([
    ['a value with a line break', { callId: 'a\r\nX: y' }],
    ['a URI with a line break', { uri: 'sip:a\r\nX: y' }],
    ['a header value with LF', { headers: [['Accept', 'a\nb']] }],
    ['a branch with CR', { via: { ...options.via, branch: 'a\rb' } }],
    ['a header name that is no token', { headers: [['A: b\r\nC', 'd']] }],
    ['a method that is no token', { method: 'OPT IONS' }],
    ['a URI with a space', { uri: 'sip:a b' }],
    ['a header that is set already', { headers: [['Call-ID', 'x']] }],
    ['a Content-Length', { headers: [['Content-Length', '7']] }],
    ['a header named __proto__', { headers: [['__proto__', '7']] }],
  ])('%s is refused', (_, change) => {
    expect(() => buildRequest({ ...options, ...change })).toThrow(SipError)
  })
})
