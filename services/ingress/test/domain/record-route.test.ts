import { expect, it } from 'vitest'
import { recordRoutes, type Side } from '../../src/domain/record-route.ts'

const udp: Side = { transport: 'udp', host: 'lb.example.com:5060' }
const tcp: Side = { transport: 'tcp', host: 'lb.example.com:5060' }
const tls: Side = { transport: 'tls', host: 'lb.example.com:5061' }
const wss: Side = { transport: 'wss', host: 'lb.example.com:443' }

it('is one where both sides know us alike, and names no transport for UDP', () => {
  expect(recordRoutes('t', udp, udp, false)).toEqual(['<sip:t@lb.example.com:5060;lr>'])
  expect(recordRoutes('t', tcp, tcp, false)).toEqual(['<sip:t@lb.example.com:5060;transport=tcp;lr>'])
})

it('are two where transports or addresses differ, the one for the called side on top', () => {
  expect(recordRoutes('t', wss, udp, false)).toEqual([
    '<sip:t@lb.example.com:5060;lr>',
    '<sip:t@lb.example.com:443;transport=ws;lr>',
  ])
  const six: Side = { transport: 'udp', host: '[2001:db8::1]:5060' }
  expect(recordRoutes('t', six, udp, false)).toHaveLength(2)
})

it('is a sips one for a sips request, where the side is secure', () => {
  expect(recordRoutes('t', tls, tls, true)).toEqual(['<sips:t@lb.example.com:5061;transport=tcp;lr>'])
  expect(recordRoutes('t', tls, udp, true)).toEqual([
    '<sip:t@lb.example.com:5060;lr>',
    '<sips:t@lb.example.com:5061;transport=tcp;lr>',
  ])
})
