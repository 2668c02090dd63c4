import { describe, it } from 'vitest'
import { attackScene, transports } from './attack-scene.ts'

describe.concurrent.each(transports)('by %s, where two elements could take one or the other', (transport) => {
  it.each([
    'From: <sip:x@y>;tag=2',
    'f: <sip:x@y>;tag=2',
    'To: <sip:x@y>',
    't : <sip:x@y>',
    'Call-ID: other',
    'i: other',
    'CSeq: 2 INVITE',
    'cseq: 1 INVITE',
    'Max-Forwards: 3',
    'MAX-FORWARDS:70',
  ])('a second header, %s, has the request refused', async (line) => {
    await using s = await attackScene(transport)
    s.attacker.send(s.invite({ headers: [line] }))
    await s.attacker.next(400)
    await s.expectAlive()
    s.expectNoneForwarded()
  })

  it.each([
    { name: 'two tags in From', from: '<sip:alice@example.com>;tag=1;tag=2' },
    { name: 'two tags in To', to: '<sip:bob@example.com>;tag=1;TAG=2' },
    { name: 'two addresses in From', from: '<sip:alice@example.com>;tag=1, <sip:eve@example.com>' },
    { name: 'two At in the Request-URI', uri: 'sip:bob@example.com@evil.example' },
    { name: 'a parameter twice in the Request-URI', uri: 'sip:bob@example.com;maddr=a;maddr=b' },
    { name: 'two methods', method: 'INVITE BYE' },
  ])('$name has the request refused, or dropped', async (parts) => {
    await using s = await attackScene(transport)
    s.attacker.send(s.invite(parts))
    await s.expectAlive()
    await s.expectCounted('siplb_sip_malformed_total', {}, 1)
    s.expectNoneForwarded()
  })

  it('two branches in the topmost Via have it dropped', async () => {
    await using s = await attackScene(transport)
    s.attacker.send(s.invite({ via: `SIP/2.0/${transport} ${s.attacker.hostPort};branch=z9hG4bK1;branch=z9hG4bK2` }))
    await s.expectAlive()
    await s.expectCounted('siplb_sip_malformed_total', { problem: 'via' }, 1)
    s.expectNoneForwarded()
  })
})
