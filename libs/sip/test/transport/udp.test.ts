import { once } from 'node:events'
import { createSocket } from 'node:dgram'
import { readdirSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { udpDoor } from '@siplb/sip/transport'
import type { Packet, SocketProblem, UdpConnection, UdpDoor, UdpListener } from '@siplb/sip/transport'
import { afterEach, describe, expect, it } from 'vitest'
import { chooseDoor } from '../../src/transport/udp.ts'
import { Inbox } from './inbox.ts'

const quiet = { onPacket: () => undefined, onError: () => undefined }
const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const socket of open.splice(0)) await socket.close()
})

interface Ends<Socket> {
  socket: Socket
  packets: Inbox<Packet>
  errors: Inbox<SocketProblem>
  refusals: Inbox<SocketProblem>
}

const inboxes = () => ({
  packets: new Inbox<Packet>(),
  errors: new Inbox<SocketProblem>(),
  refusals: new Inbox<SocketProblem>(),
})

/** Both; where nothing was built, and nobody promised that it would be, the one that is always there. */
function doors(): UdpDoor[] {
  const dgram = chooseDoor('dgram')
  return process.env['CI'] === undefined && udpDoor() === dgram ? [dgram] : [dgram, chooseDoor('native')]
}

describe.each(doors())('through the $name door', (door) => {
  async function listen(address = '127.0.0.1', port = 0): Promise<Ends<UdpListener>> {
    const boxes = inboxes()
    const socket = await door.listen({ address, port }, { onPacket: boxes.packets.put, onError: boxes.errors.put })
    open.push(socket)
    return { socket, ...boxes }
  }

  async function connect(remote: { address: string; port: number }): Promise<Ends<UdpConnection>> {
    const boxes = inboxes()
    const handlers = { onPacket: boxes.packets.put, onError: boxes.errors.put, onRefused: boxes.refusals.put }
    const socket = await door.connect({ remote }, handlers)
    open.push(socket)
    return { socket, ...boxes }
  }

  describe.each(['127.0.0.1', '::1'])('UDP on %s', (address) => {
    it('hands over octets, the way back and the time; the answer comes from the socket that was asked', async () => {
      const server = await listen(address)
      const client = await connect(server.socket.local)
      const before = performance.now()
      client.socket.send(Buffer.from('ping'))
      const packet = await server.packets.take()
      expect(packet.bytes.toString()).toBe('ping')
      expect(packet.flow).toMatchObject({ transport: 'udp', isReliable: false, local: server.socket.local })
      expect(packet.flow.remote).toEqual(client.socket.local)
      expect(packet.receivedAt).toBeGreaterThanOrEqual(before)
      packet.flow.send(Buffer.from('pong'))
      const back = await client.packets.take()
      expect(back.bytes.toString()).toBe('pong')
      expect(back.flow.remote).toEqual(server.socket.local)
    })

    it('sends to an endpoint without having heard from it', async () => {
      const [one, other] = [await listen(address), await listen(address)]
      one.socket.sendTo(other.socket.local, Buffer.from('hello'))
      expect((await other.packets.take()).flow.remote).toEqual(one.socket.local)
    })

    it('hears from a connected socket when nobody is there', async () => {
      const gone = await listen(address)
      await gone.socket.close()
      const client = await connect(gone.socket.local)
      client.socket.send(Buffer.from('anybody?'))
      expect(await client.refusals.take()).toMatchObject({ code: 'ECONNREFUSED', remote: gone.socket.local })
      // It stays usable: the next one may find somebody.
      client.socket.send(Buffer.from('now?'))
      expect((await client.refusals.take()).code).toBe('ECONNREFUSED')
    })
  })

  describe('a failure to send', () => {
    it('is reported, never thrown: too large', async () => {
      const server = await listen()
      const client = await connect(server.socket.local)
      const huge = Buffer.alloc(70_000)
      client.socket.send(huge)
      expect((await client.errors.take()).code).toBe('EMSGSIZE')
      server.socket.sendTo(client.socket.local, huge)
      expect(await server.errors.take()).toMatchObject({ code: 'EMSGSIZE', remote: client.socket.local })
    })

    it('is reported, never thrown: bad port, closed socket', async () => {
      const server = await listen()
      server.socket.sendTo({ transport: 'udp', address: '127.0.0.1', port: 99_999 }, Buffer.from('x'))
      expect((await server.errors.take()).code).toBe('ERR_SOCKET_BAD_PORT')
      const client = await connect(server.socket.local)
      await client.socket.close()
      client.socket.send(Buffer.from('x'))
      expect((await client.errors.take()).code).toBe('ERR_SOCKET_DGRAM_NOT_RUNNING')
      await client.socket.close()
    })
  })

  describe('a connected socket', () => {
    it('hears nobody but its remote', async () => {
      const [server, stranger] = [await listen(), await listen()]
      const client = await connect(server.socket.local)
      stranger.socket.sendTo(client.socket.local, Buffer.from('spoof'))
      client.socket.send(Buffer.from('hello'))
      ;(await server.packets.take()).flow.send(Buffer.from('right'))
      expect((await client.packets.take()).bytes.toString()).toBe('right')
      expect(client.packets.count).toBe(0)
    })
  })

  describe('a listener', () => {
    it('that finds its port taken says so', async () => {
      const { socket } = await listen()
      await expect(listen('127.0.0.1', socket.local.port)).rejects.toMatchObject({ code: 'EADDRINUSE' })
    })

    it('shares its port when both ask for it', async () => {
      const handlers = { onPacket: () => undefined, onError: () => undefined }
      const one = await door.listen({ address: '127.0.0.1', port: 0, reusePort: true }, handlers)
      open.push(one)
      const other = await door.listen({ address: '127.0.0.1', port: one.local.port, reusePort: true }, handlers)
      open.push(other)
      expect(other.local.port).toBe(one.local.port)
    })

    it('on :: leaves IPv4 to another', async () => {
      const six = await listen('::')
      const four = await listen('0.0.0.0', six.socket.local.port)
      expect(four.socket.local.port).toBe(six.socket.local.port)
    })

    it('gets empty datagrams as well', async () => {
      const server = await listen()
      const plain = createSocket('udp4')
      plain.send('', server.socket.local.port, '127.0.0.1')
      expect((await server.packets.take()).bytes).toHaveLength(0)
      plain.close()
      await once(plain, 'close')
    })
  })

  describe('many datagrams', () => {
    it('come in their order, each by its own octets, however many leave at once', async () => {
      const [one, other] = [await listen(), await listen()]
      const client = await connect(other.socket.local)
      const sent = Array.from({ length: 600 }, (_, i) => Buffer.alloc(1000 + i, i % 251))
      for (const bytes of sent.slice(0, 300)) one.socket.sendTo(other.socket.local, bytes)
      for (const bytes of sent.slice(300)) client.socket.send(bytes)
      const came: Buffer[] = []
      for (let i = 0; i < sent.length; i++) came.push((await other.packets.take()).bytes)
      const byLength = came.toSorted((a, b) => a.length - b.length)
      expect(byLength.every((bytes, i) => sent[i]?.equals(bytes))).toBe(true)
      const ofListener = came.filter(({ length }) => length < 1300).map(({ length }) => length)
      expect(ofListener).toEqual(ofListener.toSorted((a, b) => a - b))
    })

    it('keep their octets when more come', async () => {
      const server = await listen()
      const client = await connect(server.socket.local)
      client.socket.send(Buffer.from('first'))
      const first = await server.packets.take()
      for (let i = 0; i < 200; i++) client.socket.send(Buffer.alloc(900, i))
      for (let i = 0; i < 200; i++) await server.packets.take()
      expect(first.bytes.toString()).toBe('first')
    })

    it('of every size a datagram may have', async () => {
      const server = await listen()
      const client = await connect(server.socket.local)
      for (const size of [0, 1, 65_506, 65_507]) {
        client.socket.send(Buffer.alloc(size, 7))
        expect((await server.packets.take()).bytes.equals(Buffer.alloc(size, 7))).toBe(true)
      }
    })
  })

  it('may be closed by who hears from it, and nothing is heard from it any more', async () => {
    const heard = new Inbox<Packet>()
    const onPacket = (packet: Packet) => {
      heard.put(packet)
      void server.close()
    }
    const server = await door.listen({ address: '127.0.0.1', port: 0 }, { ...quiet, onPacket })
    const client = await connect(server.local)
    for (let i = 0; i < 10; i++) client.socket.send(Buffer.from(`${i}`))
    expect((await heard.take()).bytes.toString()).toBe('0')
    client.socket.send(Buffer.from('anybody?'))
    await client.refusals.take()
    expect(heard.count).toBe(0)
  })

  it('gives back what it opened', async () => {
    const descriptors = () => readdirSync('/proc/self/fd').length
    const before = descriptors()
    for (let i = 0; i < 300; i++) {
      const server = await door.listen({ address: '127.0.0.1', port: 0 }, quiet)
      const client = await door.connect({ remote: server.local }, { ...quiet, onRefused: () => undefined })
      await client.close()
      await server.close()
    }
    const remote = { address: '127.0.0.1', port: 0 }
    await expect(
      door.connect({ remote, localAddress: '192.0.2.1' }, { ...quiet, onRefused: () => undefined }),
    ).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' })
    expect(descriptors()).toBe(before)
  })
})

it('a thread that ends with sockets open takes the process with it no more than its sockets', async () => {
  const worker = new Worker(new URL('./listening-thread.ts', import.meta.url))
  const [port]: unknown[] = await once(worker, 'message')
  await worker.terminate()
  const again = await chooseDoor('dgram').listen({ address: '127.0.0.1', port: Number(port) }, quiet)
  open.push(again)
  expect(again.local.port).toBe(port)
})

it('says what to do when the door that is asked for is no door', () => {
  expect(() => chooseDoor('front')).toThrow('SIPLB_UDP is "front", but can be only "native" or "dgram"')
})
