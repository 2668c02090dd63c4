import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { freePort, makeCertificate, spawnService, waitFor, type ServiceProcess } from '@siplb/testkit'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { requestBytes } from '../messages.ts'
import { Peer } from '../peer.ts'
import { token } from '../phone.ts'

let stack: AsyncDisposableStack
let ingress: ServiceProcess
let px: Peer
const ports = { udp: 0, tcp: 0, tls: 0, ws: 0, wss: 0 }

beforeAll(async () => {
  stack = new AsyncDisposableStack()
  const own = stack.use(await makeCertificate({ names: ['lb.example.com'] }))
  px = stack.use(await Peer.open('127.0.0.2'))
  for (const transport of ['udp', 'tcp', 'tls', 'ws', 'wss'] as const)
    ports[transport] = await freePort(transport === 'udp' ? 'udp' : 'tcp')
  ingress = stack.use(
    await spawnService('ingress', {
      config: {
        nats: { servers: ['nats://127.0.0.1:1'] },
        http: { port: 0 },
        ingress: {
          listen: Object.entries(ports).map(([transport, port]) => `${transport}://127.0.0.1:${port}`),
          tls: { cert: own.certPath, key: own.keyPath },
          limits: { headerDeadlineMs: 500 },
        },
        pools: { default: { proxies: [{ id: 'px1', uri: px.uri }] } },
      },
    }),
  )
})
afterAll(() => stack.disposeAsync())

async function expectWell(): Promise<void> {
  await using asking = await Peer.open()
  const via = `SIP/2.0/UDP ${asking.hostPort};rport;branch=z9hG4bK${token()}`
  const uri = `sip:127.0.0.1:${ports.udp}`
  asking.send(requestBytes({ method: 'OPTIONS', uri, via, callId: token() }), { address: '127.0.0.1', port: ports.udp })
  await asking.next(200)
  const failed = ingress.log().filter((line) => JSON.stringify(line).includes('not handled'))
  expect(failed).toEqual([])
}

async function dialled(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

/** Not `once`, which rejects where the connection is reset: that is an end too. */
function closing(socket: Socket): Promise<unknown> {
  return new Promise((resolve) => socket.once('close', resolve))
}

/** Says this, piece by piece, and then hangs up in this way. */
async function say(port: number, pieces: readonly (Buffer | string)[], end: 'reset' | 'close' | 'half' | 'wait') {
  const socket = await dialled(port)
  for (const piece of pieces) {
    socket.write(piece)
    await sleep(2)
  }
  if (end === 'reset') socket.resetAndDestroy()
  else if (end === 'close') socket.destroy()
  else if (end === 'half') socket.end()
  socket.resume()
  if (end === 'half' || end === 'wait') await Promise.race([closing(socket), sleep(800, undefined, { ref: false })])
  socket.destroy()
}

async function sockets(): Promise<number> {
  return (await readdir(`/proc/${ingress.pid}/fd`)).length
}

const upgrade = (more: readonly string[] = []) =>
  [
    'GET / HTTP/1.1',
    'Host: x',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
    'Sec-WebSocket-Protocol: sip',
    ...more,
    '',
    '',
  ].join('\r\n')

const masked = (first: number, payload = Buffer.alloc(0)) =>
  Buffer.concat([Buffer.of(first, 0x80 | payload.length, 0, 0, 0, 0), payload])

const wild: Record<string, readonly (Buffer | string)[]> = {
  nothing: [],
  noise: [Buffer.from(Array.from({ length: 600 }, (_, i) => (i * 37) & 0xff))],
  'the beginning of a TLS handshake': [Buffer.of(0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3)],
  'a TLS alert': [Buffer.of(0x15, 3, 3, 0, 2, 2, 40)],
  'half of an HTTP request': ['GET / HTTP/1.1\r\nHost:'],
  'HTTP without an upgrade, twice': ['GET / HTTP/1.1\r\nHost: x\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n'],
  CONNECT: ['CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n'],
  'a body in chunks without an end': [
    'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\nabc',
  ],
  'an upgrade to something else': ['GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n'],
  'two upgrades': [upgrade() + upgrade()],
  'an upgrade with a long header': [upgrade([`X: ${'x'.repeat(20_000)}`])],
  'frames without a mask': [upgrade(), Buffer.of(0x82, 2, 1, 2)],
  'a frame of all lengths': [
    upgrade(),
    Buffer.of(0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0),
  ],
  'reserved bits': [upgrade(), masked(0xf2)],
  'a continuation of nothing': [upgrade(), masked(0x80)],
  'text that is no UTF-8': [upgrade(), masked(0x81, Buffer.of(0xff, 0xfe))],
  'a close with half a code': [upgrade(), masked(0x88, Buffer.of(3))],
  'a close and then more': [upgrade(), masked(0x88, Buffer.of(3, 0xe8)), masked(0x82, Buffer.from('x'))],
  'empty messages and pings': [upgrade(), ...Array.from({ length: 30 }, (_, i) => masked(i % 2 === 0 ? 0x82 : 0x89))],
  'fragments without an end': [upgrade(), masked(0x02), ...Array.from({ length: 100 }, () => masked(0))],
  'half of a SIP message': ['INVITE sip:x@y SIP/2.0\r\nVia: SIP/2.0/TCP '],
  'pings without an end': ['\r\n\r\n'.repeat(5000)],
}

it.each(Object.keys(wild))(
  '%s, by every transport and with every end, ends nothing but its connection',
  async (what) => {
    const ends = ['reset', 'close', 'half', 'wait'] as const
    const all = [ports.tcp, ports.tls, ports.ws, ports.wss].flatMap((port) =>
      ends.map((end) => say(port, wild[what] ?? [], end)),
    )
    await Promise.all(all)
    await expectWell()
  },
)

it.each(['tls', 'wss'] as const)(
  '%s whose handshake is broken off at any moment ends nothing but its connection',
  async (transport) => {
    const breaking = Array.from({ length: 60 }, async (_, i) => {
      const raw = await dialled(ports[transport])
      const secure = connectTls({
        socket: raw,
        rejectUnauthorized: false,
        ...(i % 2 === 0 ? { maxVersion: 'TLSv1.2' } : {}),
      })
      secure.on('error', () => undefined)
      await Promise.race([sleep(i % 20), once(secure, 'secureConnect').catch(() => undefined)])
      if (i % 3 === 0) raw.resetAndDestroy()
      else if (i % 3 === 1) raw.destroy()
      else secure.end('INVITE sip:')
      raw.destroySoon()
    })
    await Promise.all(breaking)
    await expectWell()
  },
)

it('renegotiation without an end ends nothing but its connection', async () => {
  const secure = connectTls({ port: ports.tls, host: '127.0.0.1', rejectUnauthorized: false, maxVersion: 'TLSv1.2' })
  secure.on('error', () => undefined)
  await once(secure, 'secureConnect')
  for (let i = 0; i < 12 && !secure.destroyed; i++) {
    await Promise.race([new Promise<void>((resolve) => void secure.renegotiate({}, () => resolve())), sleep(300)])
  }
  await expectWell()
  secure.destroy()
})

it('a thousand connections that say nothing hurt nobody, and leave nothing behind', async () => {
  const before = await sockets()
  const idle = await Promise.all(
    Array.from({ length: 1000 }, (_, i) => dialled([ports.tcp, ports.tls, ports.ws, ports.wss][i % 4] ?? 0)),
  )
  await expectWell()
  for (const socket of idle) socket.resetAndDestroy()
  await waitFor(async () => (await sockets()) <= before + 2, 8000, 'the end of all sockets')
  const status = await readFile(`/proc/${ingress.pid}/status`, 'utf8')
  expect(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024).toBeLessThan(400)
})
