import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { requestBytes } from '../messages.ts'
import { token } from '../phone.ts'
import { scene } from '../scene.ts'
import { StreamProxy } from '../stream-peer.ts'

it('who hangs up and names many ports does not make us dial them all', async () => {
  await using s = await scene({ listen: ['tcp'] })
  await using stack = new AsyncDisposableStack()
  const doors = await Promise.all(Array.from({ length: 40 }, () => StreamProxy.open()))
  for (const door of doors) stack.use(door)
  const socket = connect(s.lb.place.port, s.lb.place.address)
  await once(socket, 'connect')
  for (const { place } of doors) {
    const via = `SIP/2.0/TCP 127.0.0.1:${place.port};branch=z9hG4bK${token()}`
    socket.write(requestBytes({ method: 'MESSAGE', via, callId: token() }))
  }
  await eventually(() => new Set(s.px1.heard.map(({ branch }) => branch)).size, 40)
  const closed = once(socket, 'close')
  socket.destroy()
  await closed
  await eventually(() => s.lb.metric('siplb_sip_connections', { transport: 'tcp' }), 0)
  const first = new Map(s.px1.heard.map((asked) => [asked.branch, asked]))
  for (const asked of first.values()) s.px1.answer(asked, 200)
  await eventually(() => s.lb.metric('siplb_sip_dropped_total', { reason: 'connection-gone' }), 32)
  await eventually(() => doors.flatMap(({ connections }) => connections.flatMap(({ heard }) => heard)).length, 8)
  expect(doors.flatMap(({ connections }) => connections)).toHaveLength(8)
})
