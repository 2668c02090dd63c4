import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { requestBytes } from '../messages.ts'
import type { Place } from '../peer.ts'
import { token } from '../phone.ts'
import { scene } from '../scene.ts'
import { StreamPeer } from '../stream-peer.ts'

async function dial(to: Place, from: Partial<Place> = {}) {
  const socket = connect({ host: to.address, port: to.port, localAddress: from.address, localPort: from.port })
  await once(socket, 'connect')
  return { socket, peer: new StreamPeer(socket) }
}

it('a call for a phone is not given to who has its address and port after it: behind a NAT that is somebody else', async () => {
  await using s = await scene({ listen: ['tcp'], proxyAddress: '127.0.0.2' })
  const { socket, peer: phone } = await dial(s.lb.place)
  const via = (peer: StreamPeer) => `SIP/2.0/TCP ${peer.hostPort};rport;branch=z9hG4bK${token()}`
  phone.send(requestBytes({ method: 'REGISTER', uri: 'sip:example.com', via: via(phone), callId: token() }))
  const registering = await s.px1.next('REGISTER')
  s.px1.answer(registering, 200)
  await phone.next(200)
  const call = () =>
    requestBytes({
      uri: 'sip:alice@phone.invalid',
      via: `SIP/2.0/UDP ${s.px1.hostPort};branch=z9hG4bK${token()}`,
      callId: token(),
      headers: [`Route: ${registering.one('Path')}`],
    })
  s.px1.send(call(), s.lb.place)
  await phone.next('INVITE')
  // Without the wait of TCP before a port is given away again.
  socket.resetAndDestroy()
  await eventually(() => s.lb.metric('siplb_sip_connections', { transport: 'tcp' }), 0)
  const { peer: other } = await dial(s.lb.place, phone.place)
  await using _closed = other
  await eventually(() => s.lb.metric('siplb_sip_connections', { transport: 'tcp' }), 1)
  s.px1.send(call(), s.lb.place)
  await s.px1.next(430)
  expect(other.heard).toEqual([])
})
