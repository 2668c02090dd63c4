import { once } from 'node:events'
import { connectStream } from '@siplb/sip/transport'
import type { ListenStream, StreamListener } from '@siplb/sip/transport'
import { makeCertificate, waitFor } from '@siplb/testkit'
import type { TestCertificate } from '@siplb/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import type { ClientOptions } from 'ws'
import { invite } from '../messages.ts'
import { Told, closeAll, gone, listen, plain, restOf } from './streams.ts'

let certificate: TestCertificate
beforeAll(async () => {
  certificate = await makeCertificate({ names: ['127.0.0.1'] })
})
afterAll(() => certificate.remove())

const clients: WebSocket[] = []
afterEach(async () => {
  for (const client of clients.splice(0)) client.terminate()
  await closeAll()
})

const listenWs = (options: Partial<ListenStream> = {}) => listen({ transport: 'ws', ...options })

const urlOf = ({ local }: StreamListener): string => `${local.transport}://127.0.0.1:${local.port}/`

function start(listener: StreamListener, protocols: string[] = ['sip'], options: ClientOptions = {}): WebSocket {
  const client = new WebSocket(urlOf(listener), protocols, { ca: certificate.cert, ...options })
  client.on('error', () => undefined)
  clients.push(client)
  return client
}

async function connect(listener: StreamListener, options: ClientOptions = {}): Promise<WebSocket> {
  const client = start(listener, ['sip'], options)
  await once(client, 'open')
  return client
}

/** The status of a handshake that fails. */
const statusOf = (client: WebSocket): Promise<number | undefined> =>
  new Promise((done) => client.once('unexpected-response', (_, response) => done(response.statusCode)))

const upgrade = (...lines: string[]): string =>
  ['GET / HTTP/1.1', 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket', ...lines, '', ''].join('\r\n')

const handshake = upgrade(
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol: sip',
)

describe.each(['ws', 'wss'] as const)('SIP over %s', (transport) => {
  const listenThere = () => listenWs({ transport, tls: { cert: certificate.cert, key: certificate.key } })

  it('takes each frame for a message, text or binary, and answers in text', async () => {
    const { listener, packets, opened } = await listenThere()
    const client = await connect(listener)
    expect(client.protocol).toBe('sip')
    client.send(invite(), { binary: false })
    client.send(invite(), { binary: true })
    expect((await packets.take()).bytes).toEqual(invite())
    const { bytes, flow } = await packets.take()
    expect(bytes).toEqual(invite())
    expect(flow).toMatchObject({ transport, isReliable: true, isOpen: true, local: listener.local })
    expect(await opened.take()).toBe(flow)
    expect(listener.connectionTo(flow.remote)).toBe(flow)
    flow.send(invite({ Subject: 'answer' }))
    expect(await once(client, 'message')).toEqual([invite({ Subject: 'answer' }), false])
  })

  it('closes in order from either side', async () => {
    const { listener, opened, closings } = await listenThere()
    const theirs = await connect(listener)
    theirs.close()
    expect((await closings.take()).problem).toBeUndefined()
    await opened.take()
    const client = await connect(listener)
    const ours = await opened.take()
    const [[code]] = await Promise.all([once(client, 'close'), ours.close()])
    expect(code).toBe(1001)
    expect(ours.isOpen).toBe(false)
    expect((await closings.take()).problem).toBeUndefined()
    await waitFor(() => listener.size === 0, 2_000)
  })
})

describe('a message in a WebSocket', () => {
  it('goes as text when it is UTF-8, else as binary', async () => {
    const { listener, opened } = await listenWs()
    const client = await connect(listener)
    const ours = await opened.take()
    const binary = Buffer.concat([invite(), Buffer.from([0xff, 0xfe])])
    ours.send(Buffer.from('Grüße'))
    expect(await once(client, 'message')).toEqual([Buffer.from('Grüße'), false])
    ours.send(binary)
    expect(await once(client, 'message')).toEqual([binary, true])
  })

  it('needs no Content-Length, and may come in fragments', async () => {
    const { listener, packets } = await listenWs()
    const client = await connect(listener)
    const bytes = invite({ 'Content-Length': '' })
    client.send(bytes.subarray(0, 99), { fin: false })
    client.send(bytes.subarray(99))
    const packet = await packets.take()
    expect(packet.bytes).toEqual(bytes)
    expect(packet).not.toHaveProperty('framing')
  })

  it('that is a double CRLF is a ping, answered at once and not handed up; a lone one is nothing', async () => {
    const { listener, packets } = await listenWs()
    const client = await connect(listener)
    client.send('\r\n')
    client.send('\r\n\r\n')
    expect(await once(client, 'message')).toEqual([Buffer.from('\r\n'), false])
    client.ping()
    await once(client, 'pong')
    client.send(invite())
    expect((await packets.take()).bytes).toEqual(invite())
  })

  it('that is too large ends the connection', async () => {
    const { listener, closings } = await listenWs({ limits: { buffered: 1_000 } })
    const client = await connect(listener)
    client.send(Buffer.alloc(1_001, 0x20))
    const [code] = await once(client, 'close')
    expect(code).toBe(1009)
    expect((await closings.take()).problem?.code).toBe('WS_ERR_UNSUPPORTED_MESSAGE_LENGTH')
  })

  it('that is broken ends the connection', async () => {
    const { listener, closings, packets } = await listenWs()
    const client = await connect(listener)
    client.send(Buffer.from([0xff]), { binary: false })
    expect((await once(client, 'close'))[0]).toBe(1007)
    expect((await closings.take()).problem?.code).toBe('WS_ERR_INVALID_UTF8')
    expect(packets.count).toBe(0)
  })
})

describe('the handshake', () => {
  it('is refused without the subprotocol sip, and counted', async () => {
    const { listener, problems, opened } = await listenWs()
    expect(await statusOf(start(listener, []))).toBe(400)
    expect(await statusOf(start(listener, ['msrp']))).toBe(400)
    expect((await problems.take()).code).toBe('websocket-handshake')
    expect((await problems.take()).code).toBe('websocket-handshake')
    const both = start(listener, ['msrp', 'sip'])
    await once(both, 'open')
    expect(both.protocol).toBe('sip')
    expect((await opened.take()).transport).toBe('ws')
    await waitFor(() => listener.size === 1, 2_000)
  })

  it.each([
    ['a request for a page', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', '426'],
    ['SIP', invite().toString(), '400'],
    ['no key', upgrade('Sec-WebSocket-Version: 13', 'Sec-WebSocket-Protocol: sip'), '400'],
    ['another version', upgrade('Sec-WebSocket-Version: 7', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='), '400'],
    ['endless headers', upgrade(`X: ${'x'.repeat(10_000)}`), '431'],
  ])('%s is refused, counted and forgotten', async (_, text, status) => {
    const { listener, problems } = await listenWs()
    const peer = await plain(listener)
    peer.write(text)
    expect(await restOf(peer)).toContain(`HTTP/1.1 ${status} `)
    peer.destroy()
    expect((await problems.take()).code).toBe('websocket-handshake')
    await waitFor(() => listener.size === 0, 2_000)
    expect(problems.count).toBe(0)
  })

  it('has a deadline', async () => {
    const { listener, problems } = await listenWs({ limits: { headerDeadlineMs: 100 } })
    const peer = await plain(listener)
    peer.write('GET / HTTP/1.1\r\n')
    await gone(peer)
    expect(await problems.take()).toMatchObject({ code: 'handshake-deadline' })
    await waitFor(() => listener.size === 0, 2_000)
    expect(problems.count).toBe(0)
  })

  it('offers no compression', async () => {
    const { listener } = await listenWs()
    expect((await connect(listener, { perMessageDeflate: true })).extensions).toBe('')
  })
})

describe('a WebSocket', () => {
  it('is closed when a frame does not end in time, and not while it says nothing', async () => {
    const { listener, packets, opened, closings } = await listenWs({ limits: { headerDeadlineMs: 150 } })
    const quiet = await connect(listener)
    const ours = await opened.take()
    quiet.send(invite())
    await packets.take()
    const slow = await plain(listener)
    slow.write(handshake)
    await opened.take()
    slow.write(Buffer.from([0x82]))
    expect((await closings.take()).problem?.code).toBe('header-deadline')
    await new Promise((done) => setTimeout(done, 300))
    quiet.send(invite())
    expect((await packets.take()).flow).toBe(ours)
  })

  it('leaves nobody behind after a burst of resets, before, in and after the handshake', async () => {
    const { listener, opened, closings } = await listenWs()
    const peers = await Promise.all(Array.from({ length: 60 }, () => plain(listener)))
    const begin = ['', 'GET / HTTP/1.1\r\n', handshake]
    peers.forEach((peer, i) => peer.write(begin[i % 3] ?? ''))
    await waitFor(() => opened.count === 20, 2_000)
    for (const peer of peers) peer.resetAndDestroy()
    await waitFor(() => listener.size === 0 && closings.count === 20, 5_000)
  })

  it('that is idle is closed', async () => {
    const { listener, closings } = await listenWs({ limits: { idleMs: 100 } })
    await connect(listener)
    expect((await closings.take()).problem?.code).toBe('idle')
  })

  it('to a peer that does not read is closed before much waits for it', async () => {
    const { listener, opened, closings } = await listenWs()
    const client = await connect(listener)
    client.pause()
    const ours = await opened.take()
    const bytes = Buffer.alloc(65_536, 0x20)
    for (let sent = 0; ours.isOpen; sent += bytes.length) {
      ours.send(bytes)
      expect(sent).toBeLessThan(64 * 1024 * 1024)
      if (sent % (1024 * 1024) === 0) await new Promise(setImmediate)
    }
    expect((await closings.take()).problem?.code).toBe('backlog')
  })

  it('that is closed reports what is sent', async () => {
    const { listener, opened, closings, problems } = await listenWs()
    const client = await connect(listener)
    const ours = await opened.take()
    client.terminate()
    await closings.take()
    ours.send(invite())
    expect((await problems.take()).code).toBe('closed')
    await ours.close()
  })

  it('counts as a connection of its address', async () => {
    const { listener, problems } = await listenWs({ limits: { perAddress: 1 } })
    await connect(listener)
    await gone(await plain(listener))
    expect((await problems.take()).code).toBe('address-limit')
  })

  it('is not dialled', async () => {
    const { listener } = await listenWs()
    await expect(connectStream({ remote: listener.local }, new Told())).rejects.toMatchObject({
      code: 'ERR_INVALID_ARG_VALUE',
    })
  })
})
