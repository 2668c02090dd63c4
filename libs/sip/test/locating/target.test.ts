import { isIP } from 'node:net'
import { expect, it } from 'vitest'
import { targetOfSentBy, targetOfUri } from '../../src/locating/target.ts'
import { uriOf } from './zone.ts'

const aimAt = (text: string) => targetOfUri(uriOf(text), isIP)

it.each([
  ['sip:Example.COM.', { host: 'example.com', isNumeric: false, transport: undefined, isSecure: false }],
  ['sip:192.0.2.1:5070', { host: '192.0.2.1', isNumeric: true, port: 5070 }],
  ['sip:[2001:db8::1];transport=TCP', { host: '2001:db8::1', isNumeric: true, transport: 'tcp' }],
  ['sips:example.com', { transport: undefined, isSecure: true }],
  ['sips:example.com;transport=tcp', { transport: 'tls', isSecure: true }],
  ['sips:example.com;transport=ws', { transport: 'wss' }],
  ['sip:example.com;maddr=192.0.2.9', { host: '192.0.2.9', isNumeric: true }],
  ['sip:example.com;maddr=[2001:db8::9]', { host: '2001:db8::9', isNumeric: true }],
])('reads the target of %s', (text, expected) => {
  expect(aimAt(text)).toMatchObject({ kind: 'target', target: expected })
})

it.each([
  ['sips:example.com;transport=udp', 'EPROTONOSUPPORT'],
  ['sip:example.com;transport=sctp', 'EPROTONOSUPPORT'],
  ['tel:+123', 'EPROTONOSUPPORT'],
  ['sip:[2001:db8:::1]', 'EBADNAME'],
  ['sip:127.1', 'EBADNAME'],
  ['sip:300.1.1.1', 'EBADNAME'],
  ['sip:a..example.com', 'EBADNAME'],
  [`sip:${'a'.repeat(64)}.example.com`, 'EBADNAME'],
  [`sip:${'abcdefg.'.repeat(32)}com`, 'EBADNAME'],
])('takes %s for no target', (text, code) => {
  expect(aimAt(text)).toEqual({ kind: 'unusable', code })
})

it('takes the transport of a Via for that of the way back', () => {
  const sentBy = { transport: 'TLS', host: 'lb.example.com', port: undefined }
  expect(targetOfSentBy(sentBy, isIP)).toMatchObject({ target: { host: 'lb.example.com', transport: 'tls' } })
  expect(targetOfSentBy({ ...sentBy, transport: 'SCTP' }, isIP)).toEqual({ kind: 'unusable', code: 'EPROTONOSUPPORT' })
})
