import { buildRequest, scan } from '@siplb/sip'
import { describe, expect, it } from 'vitest'
import { probeAddress, probeRequest } from '../../src/domain/probe-request.ts'

describe('the address of a proxy', () => {
  it.each([
    ['sip:10.0.0.11', '10.0.0.11', undefined],
    ['sip:px1.example.com:5070;transport=udp', 'px1.example.com', 5070],
    ['sip:[2001:db8::1]:5061;transport=TLS', '2001:db8::1', 5061],
    ['sips:px1.example.com;transport=tcp', 'px1.example.com', undefined],
  ])('is read from %s', (uri, hostname, port) => {
    expect(probeAddress(uri)).toMatchObject({ kind: 'address', uri: { hostname, port } })
  })

  it.each(['sip:10.0.0.11;transport=ws', 'sips:10.0.0.11;transport=udp', 'tel:+1', 'sip:', 'sip:a:99999'])(
    'cannot be %s',
    (uri) => {
      expect(probeAddress(uri)).toMatchObject({ kind: 'unusable' })
    },
  )
})

describe('a probe', () => {
  const uri = 'sip:10.0.0.11:5070;transport=udp'
  const ids = { branch: 'z9hG4bKabc', callId: 'c1', fromTag: 't1' }
  const lines = (address: string, transport = 'udp') => {
    const spec = probeRequest(uri, 'sip:siplb@localhost', { transport, address, port: 4711 }, ids)
    return buildRequest(spec).toString('latin1')
  }

  it('is an OPTIONS request that a stack accepts', () => {
    const message = scan(Buffer.from(lines('127.0.0.1'), 'latin1'))
    expect(message).toMatchObject({
      kind: 'request',
      method: 'OPTIONS',
      requestUri: uri,
      maxForwards: 70,
      callId: 'c1',
      cseq: { number: 1, method: 'OPTIONS' },
      from: { uri: 'sip:siplb@localhost', tag: 't1' },
    })
  })

  it('names its own socket in the Via, with rport, its branch, and the overload control that it hears', () => {
    expect(lines('127.0.0.1')).toContain(
      'Via: SIP/2.0/UDP 127.0.0.1:4711;branch=z9hG4bKabc;rport;oc;oc-algo="loss"\r\n',
    )
    expect(lines('::1')).toContain('Via: SIP/2.0/UDP [::1]:4711;branch=z9hG4bKabc;rport;oc;oc-algo="loss"\r\n')
  })

  it.each(['tcp', 'tls'])('says in the Via that it goes by %s', (transport) => {
    expect(lines('127.0.0.1', transport)).toContain(`Via: SIP/2.0/${transport.toUpperCase()} 127.0.0.1:4711;branch=`)
  })

  it('says who asks, and which bodies it reads', () => {
    expect(lines('127.0.0.1')).toContain('User-Agent: siplb-prober\r\n')
    expect(lines('127.0.0.1')).toContain('Accept: application/json, application/sdp\r\n')
  })

  it('has neither port nor transport in To', () => {
    expect(lines('127.0.0.1')).toContain('To: <sip:10.0.0.11>\r\n')
  })
})
