import { waitFor } from '@siplb/testkit'
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { it } from 'vitest'
import { requestBytes } from '../messages.ts'
import { Peer } from '../peer.ts'
import { token } from '../phone.ts'
import { attackScene } from './attack-scene.ts'

it('a burst of INVITEs by UDP from a socket that is closed at once: the answers find nobody, and it goes on', async () => {
  await using s = await attackScene('UDP')
  const burst = await Peer.open()
  for (let i = 0; i < 200; i++) {
    const via = `SIP/2.0/UDP ${burst.hostPort};rport;branch=z9hG4bK${token()}`
    burst.send(requestBytes({ via, callId: token(), method: i % 2 === 0 ? 'INVITE' : 'MESSAGE' }), s.lb.place)
  }
  await waitFor(() => s.px1.heard.length > 100, 5_000, 'half of the burst at the proxy')
  await burst.close()
  for (const asked of s.px1.heard) s.px1.answer(asked, 486)
  await s.expectAlive()
  s.attacker.send(s.invite({ callId: 'behind-it' }))
  const isThrough = () => s.px1.heard.some((heard) => heard.one('Call-ID') === 'behind-it')
  await waitFor(isThrough, 4_000, 'a call behind the burst')
})

it('a burst of INVITEs by TCP from connections that are reset at once: they are let go, and it goes on', async () => {
  await using s = await attackScene('UDP')
  const sockets = await Promise.all(Array.from({ length: 50 }, () => resettable(s.lb.place)))
  await s.expectCounted('siplb_sip_connections', {}, 50)
  for (const socket of sockets) {
    const via = `SIP/2.0/TCP 127.0.0.1:${socket.localPort};rport;branch=z9hG4bK${token()}`
    socket.write(requestBytes({ via, callId: token() }), () => void socket.resetAndDestroy())
  }
  await s.expectCounted('siplb_sip_connections', {}, 0)
  for (const asked of s.px1.heard) s.px1.answer(asked, 486)
  await s.expectAlive()
})

async function resettable(to: { readonly address: string; readonly port: number }): Promise<Socket> {
  const socket = connect({ host: to.address, port: to.port })
  socket.on('error', () => {})
  await once(socket, 'connect')
  return socket
}

it('connections that say nothing, or half of something, leave room for others', async () => {
  await using s = await attackScene('UDP')
  const sockets = await Promise.all(Array.from({ length: 40 }, () => resettable(s.lb.place)))
  sockets.forEach((socket, i) => void (i % 2 === 0 && socket.write('INVITE sip:bob@example.com SIP/2.0\r\nVia: ')))
  await s.expectAlive()
  for (const socket of sockets) socket.resetAndDestroy()
})
