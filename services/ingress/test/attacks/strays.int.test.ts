import { describe, expect, it } from 'vitest'
import { token } from '../phone.ts'
import { attackScene, transports } from './attack-scene.ts'

describe.concurrent.each(transports)('by %s, what belongs to nothing', (transport) => {
  const response = (vias: readonly string[]) =>
    [
      'SIP/2.0 200 OK',
      ...vias.map((via) => `Via: ${via}`),
      'From: <sip:a@b>;tag=1',
      'To: <sip:c@d>;tag=2',
      `Call-ID: ${token()}`,
      'CSeq: 1 INVITE',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n')

  it('is dropped and counted when it is a response, whatever its Via says', async () => {
    await using s = await attackScene(transport)
    const theirs = 'SIP/2.0/UDP 203.0.113.1;branch=z9hG4bK1'
    s.attacker.send(response([theirs]))
    s.attacker.send(response([`SIP/2.0/UDP ${s.lb.hostPort};branch=z9hG4bK.sl.lb1.0.guessed`, theirs]))
    s.attacker.send(response([`SIP/2.0/UDP ${s.lb.hostPort};branch=z9hG4bK.sl.lb1.99999999999.x`, theirs]))
    s.attacker.send(response(['SIP/2.0/UDP [::1]', theirs, theirs]))
    await s.expectAlive()
    await s.expectCounted('siplb_sip_dropped_total', { reason: 'unmatched-response' }, 4)
    s.expectNoneForwarded()
  })

  it('is dropped and counted when it is an ACK', async () => {
    await using s = await attackScene(transport)
    s.attacker.send(s.invite({ method: 'ACK', to: '<sip:bob@example.com>;tag=unknown' }))
    s.attacker.send(s.invite({ method: 'ACK' }))
    await s.expectAlive()
    await s.expectCounted('siplb_sip_dropped_total', { reason: 'ack-without-dialog' }, 2)
    expect(s.attacker.heard).toEqual([])
    s.expectNoneForwarded()
  })

  it('gets 481 when it is a CANCEL, and nobody else sees it', async () => {
    await using s = await attackScene(transport)
    s.attacker.send(s.invite({ method: 'CANCEL' }))
    await s.attacker.next(481)
    s.expectNoneForwarded()
  })

  it('gets 481 when it is a request in a dialog that nobody knows', async () => {
    await using s = await attackScene(transport)
    s.attacker.send(s.invite({ method: 'BYE', to: '<sip:bob@example.com>;tag=unknown' }))
    await s.attacker.next(481)
    s.expectNoneForwarded()
  })

  it('is ignored when it is no SIP at all', async () => {
    await using s = await attackScene(transport)
    s.attacker.send(transport === 'UDP' ? 'hello\r\n\r\n' : 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')
    await s.expectAlive()
    await s.expectCounted('siplb_sip_malformed_total', { answered: 'false' }, 1)
    expect(s.attacker.heard).toEqual([])
    s.expectNoneForwarded()
  })
})
