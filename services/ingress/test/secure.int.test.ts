import { once } from 'node:events'
import { copyFile } from 'node:fs/promises'
import { createServer as createTlsServer } from 'node:tls'
import { makeCertificate } from '@siplb/testkit'
import { expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { startIngress } from './ingress-under-test.ts'
import { requestBytes } from './messages.ts'
import { Heard, Peer, responseText } from './peer.ts'
import { Phone, token } from './phone.ts'
import { dialTls, StreamPeer } from './stream-peer.ts'

const viaOf = (transport: string) => `SIP/2.0/${transport} phone.invalid;rport;branch=z9hG4bK${token()}`

it('a caller by TLS is served, and reached by his connection', async () => {
  await using stack = new AsyncDisposableStack()
  const own = stack.use(await makeCertificate({ names: ['lb.example.com'] }))
  const px = stack.use(await Peer.open())
  const tls = { cert: own.certPath, key: own.keyPath }
  const proxies = [{ id: 'px1', uri: px.uri }]
  const lb = stack.use(await startIngress({ listen: ['tls'], ingress: { tls }, pools: { default: { proxies } } }))
  const phone = stack.use(await dialTls(lb.placeOf('tls'), own.cert))
  phone.send(requestBytes({ via: viaOf('TLS'), callId: token(), headers: ['Contact: <sips:alice@phone.invalid>'] }))
  const asked = await px.next('INVITE')
  expect(asked.all('Record-Route')[1]).toContain(`@127.0.0.1:${lb.placeOf('tls').port};transport=tls;lr>`)
  px.answer(asked, 200, { headers: [`Contact: <sip:bob@${px.hostPort}>`] })
  const ok = await phone.next(200)
  px.send(byeOf(asked, ok, 'sips:alice@phone.invalid', px), lb.place)
  expect((await phone.next('BYE')).one('Via')).toContain('SIP/2.0/TLS')
})

it('a certificate that changes on disk is shown to the next caller', async () => {
  await using stack = new AsyncDisposableStack()
  const first = stack.use(await makeCertificate({ names: ['lb.example.com'] }))
  const second = stack.use(await makeCertificate({ names: ['lb.example.com'] }))
  const tls = { cert: first.certPath, key: first.keyPath }
  const pools = { default: { proxies: [{ id: 'px1', uri: 'sip:127.0.0.1:9' }] } }
  const lb = stack.use(await startIngress({ listen: ['tls'], ingress: { tls }, pools }))
  stack.use(await dialTls(lb.placeOf('tls'), first.cert))
  await copyFile(second.certPath, first.certPath)
  await copyFile(second.keyPath, first.keyPath)
  lb.reconfigureIngress({ tls })
  stack.use(await dialTls(lb.placeOf('tls'), second.cert))
})

it.each([
  { shown: ['px.example.com'] as const, isTaken: true },
  { shown: ['other.example.com'] as const, isTaken: false },
])('a proxy by TLS that shows $shown is asked: $isTaken', async ({ shown, isTaken }) => {
  await using stack = new AsyncDisposableStack()
  const authority = stack.use(await makeCertificate({ names: ['authority'] }))
  const theirs = stack.use(
    await makeCertificate({ names: [shown[0], ...(isTaken ? ['127.0.0.1'] : [])], ca: authority }),
  )
  const heard: StreamPeer[] = []
  const server = createTlsServer({ cert: theirs.cert, key: theirs.key }, (socket) => heard.push(new StreamPeer(socket)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  stack.defer(() => void server.close())
  const bound = server.address()
  const port = bound !== null && typeof bound === 'object' ? bound.port : 0
  const proxies = [{ id: 'px1', uri: `sip:127.0.0.1:${port};transport=tls` }]
  const lb = stack.use(
    await startIngress({ ingress: { tls: { proxyCa: authority.certPath } }, pools: { default: { proxies } } }),
  )
  const phone = stack.use(await Phone.open(lb.place))
  phone.ask()
  if (isTaken) {
    await expect.poll(() => heard.length).toBeGreaterThan(0)
    const [px] = heard
    if (px === undefined) return
    px.answer(await px.next('INVITE'), 200)
    await phone.next(200)
    await px.close()
  } else {
    await phone.next(503)
    expect(heard.flatMap((one) => one.heard)).toEqual([])
  }
})

it.each(['ws', 'wss'] as const)(
  'a phone by %s registers, calls, and is called by its connection',
  async (transport) => {
    await using stack = new AsyncDisposableStack()
    const own = stack.use(await makeCertificate({ names: ['lb.example.com'] }))
    const px = stack.use(await Peer.open())
    const tls = { cert: own.certPath, key: own.keyPath }
    const proxies = [{ id: 'px1', uri: px.uri }]
    const lb = stack.use(await startIngress({ listen: [transport], ingress: { tls }, pools: { default: { proxies } } }))
    const { port } = lb.placeOf(transport)
    const socket = new WebSocket(`${transport}://127.0.0.1:${port}`, 'sip', { rejectUnauthorized: false })
    const heard: Heard[] = []
    socket.on('message', (data: Buffer) => heard.push(new Heard(data, lb.place)))
    await once(socket, 'open')
    stack.defer(() => socket.terminate())
    const next = async (start: string): Promise<Heard> => {
      await expect.poll(() => heard.some((one) => one.startLine.startsWith(start))).toBe(true)
      return heard.splice(
        heard.findIndex((one) => one.startLine.startsWith(start)),
        1,
      )[0] as Heard
    }
    // No Content-Length: a frame is a message (RFC 7118, 5).
    const register = requestBytes({ method: 'REGISTER', uri: 'sip:example.com', via: viaOf(transport.toUpperCase()) })
    socket.send(register.toString('latin1').replace('Content-Length: 0\r\n', ''))
    const registering = await px.next('REGISTER')
    expect(registering.all('Via')[1]).toContain(`SIP/2.0/${transport.toUpperCase()} phone.invalid`)
    px.answer(registering, 200)
    await next('SIP/2.0 200')
    px.send(
      requestBytes({
        uri: 'sip:alice@phone.invalid;transport=ws',
        via: `SIP/2.0/UDP ${px.hostPort};branch=z9hG4bK${token()}`,
        headers: registering.all('Path').map((path) => `Route: ${path}`),
        callId: token(),
      }),
      lb.place,
    )
    const asked = await next('INVITE')
    expect(asked.all('Record-Route')[0]).toContain(`@127.0.0.1:${port};transport=ws;lr>`)
    socket.send(responseText(asked, 200))
    await px.next(200)
  },
)

function byeOf(asked: Heard, ok: Heard, uri: string, px: Peer): Buffer {
  return requestBytes({
    method: 'BYE',
    uri,
    via: `SIP/2.0/UDP ${px.hostPort};branch=z9hG4bK${token()}`,
    headers: asked.all('Record-Route').map((route) => `Route: ${route}`),
    from: ok.one('To'),
    to: ok.one('From'),
    callId: asked.one('Call-ID'),
  })
}
