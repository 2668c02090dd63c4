import { once } from 'node:events'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { connectStream } from '@siplb/sip/transport'
import { waitFor } from '@siplb/testkit'
import { afterEach, describe, expect, it } from 'vitest'
import { invite } from '../messages.ts'
import { Told, closeAll, dial, gone, listen, plain, restOf } from './streams.ts'

afterEach(closeAll)

const quiet = new Told()

describe.each(['127.0.0.1', '::1'])('TCP on %s', (address) => {
  it('hands over messages, the way back and the time; the answer goes by the same connection', async () => {
    const server = await listen({ address })
    const client = await dial({ remote: server.listener.local })
    const before = performance.now()
    client.connection.send(invite())
    const packet = await server.packets.take()
    expect(packet.bytes).toEqual(invite())
    expect(packet).not.toHaveProperty('framing')
    expect(packet.flow).toMatchObject({ transport: 'tcp', isReliable: true, isOpen: true })
    expect(packet.flow.local).toEqual(server.listener.local)
    expect(packet.flow.remote).toMatchObject(client.connection.local)
    expect(packet.receivedAt).toBeGreaterThanOrEqual(before)
    expect(await server.opened.take()).toBe(packet.flow)
    packet.flow.send(invite({ Subject: 'answer' }))
    const back = await client.packets.take()
    expect(back.bytes).toEqual(invite({ Subject: 'answer' }))
    expect(back.flow).toBe(client.connection)
  })
})

describe('a listener', () => {
  it('finds the connection to a remote while it is open', async () => {
    const { listener, closings } = await listen()
    const client = await dial({ remote: listener.local })
    const remote = client.connection.local
    const found = await waitFor(() => listener.connectionTo(remote), 2_000)
    expect(found).toMatchObject({ remote, isOpen: true })
    await client.connection.close()
    expect(await closings.take()).toEqual({ connection: found, problem: undefined })
    expect(listener.connectionTo(remote)).toBeUndefined()
    expect(listener.size).toBe(0)
  })

  it('that finds its port taken says so', async () => {
    const { listener } = await listen()
    await expect(listen({ port: listener.local.port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })

  it('shares its port when both ask for it', async () => {
    const one = await listen({ reusePort: true })
    const { port } = one.listener.local
    expect((await listen({ port, reusePort: true })).listener.local.port).toBe(port)
  })

  it('on :: leaves IPv4 to another, and no address is IPv4-mapped', async () => {
    const six = await listen({ address: '::' })
    const four = await listen({ address: '0.0.0.0', port: six.listener.local.port })
    await dial({ remote: { ...four.listener.local, address: '127.0.0.1' } })
    await dial({ remote: { ...six.listener.local, address: '::1' } })
    expect((await four.opened.take()).remote.address).toBe('127.0.0.1')
    expect((await six.opened.take()).remote.address).toBe('::1')
  })

  it('refuses and counts one connection more from an address than may be', async () => {
    const { listener, problems } = await listen({ limits: { perAddress: 3 } })
    const peers = [await plain(listener), await plain(listener), await plain(listener)]
    await waitFor(() => listener.size === 3, 2_000)
    const fourth = await plain(listener)
    await gone(fourth)
    expect(await problems.take()).toMatchObject({ code: 'address-limit', remote: { address: '127.0.0.1' } })
    peers[0]?.destroy()
    await waitFor(() => listener.size === 2, 2_000)
    await plain(listener)
    await waitFor(() => listener.size === 3, 2_000)
    await gone(await plain(listener))
    expect((await problems.take()).code).toBe('address-limit')
  })

  it('has no limit for those that are exempt', async () => {
    const limits = { perAddress: 1, connections: 2 }
    const { listener } = await listen({ limits, isExempt: (address) => address === '127.0.0.1' })
    for (let i = 0; i < 4; i++) await plain(listener)
    await waitFor(() => listener.size === 4, 2_000)
  })

  it('has nobody left after a burst of connections that are reset', async () => {
    const server = await listen({ limits: { perAddress: 1_000 } })
    const { listener } = server
    const peers = await Promise.all(Array.from({ length: 200 }, () => plain(listener)))
    for (const peer of peers) {
      peer.write(invite())
      peer.resetAndDestroy()
    }
    await waitFor(() => listener.size === 0 && server.closings.count === server.opened.count, 5_000)
    const client = await dial({ remote: listener.local })
    client.connection.send(invite({ Subject: 'still here' }))
    await waitFor(async () => (await server.packets.take()).bytes.includes('still here'), 2_000)
  })

  it('closes its connections with it', async () => {
    const { listener, opened, closings } = await listen()
    const peer = await plain(listener)
    const connection = await opened.take()
    const [rest] = await Promise.all([restOf(peer), listener.close()])
    expect(rest).toBe('')
    expect((await closings.take()).connection).toBe(connection)
    await expect(connectStream({ remote: listener.local }, quiet)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})

describe('what comes by a connection', () => {
  it('is a message whole or in pieces', async () => {
    const { listener, packets } = await listen()
    const peer = await plain(listener)
    peer.write(Buffer.concat([invite(), invite().subarray(0, 50)]))
    expect((await packets.take()).bytes).toEqual(invite())
    peer.write(invite().subarray(50))
    expect((await packets.take()).bytes).toEqual(invite())
  })

  it('a ping is answered at once and not handed up', async () => {
    const { listener, packets } = await listen()
    const peer = await plain(listener)
    peer.write('\r\n\r\n')
    expect(await once(peer, 'data')).toEqual([Buffer.from('\r\n')])
    peer.write('\r\n')
    peer.write(invite())
    expect((await packets.take()).bytes).toEqual(invite())
  })

  it('without a length that can be told is handed up once more; the connection ends behind the answer', async () => {
    const { listener, packets, closings } = await listen()
    const peer = await plain(listener)
    const head = invite({ 'Content-Length': '' }).subarray(0, -4)
    peer.write(Buffer.concat([head, invite()]))
    const packet = await packets.take()
    expect(packet).toMatchObject({ bytes: head, framing: 'content-length' })
    packet.flow.send(Buffer.from('SIP/2.0 400 Bad Request\r\n\r\n'))
    peer.write(invite())
    expect(await restOf(peer)).toBe('SIP/2.0 400 Bad Request\r\n\r\n')
    await closings.take()
    expect(packets.count).toBe(0)
  })

  it('ends at once behind an answer that was given at once', async () => {
    const told = new (class extends Told {
      override readonly onPacket: Told['onPacket'] = (packet) => {
        packet.flow.send(Buffer.from('SIP/2.0 400 Bad Request\r\n\r\n'))
        this.packets.put(packet)
      }
    })()
    const { listener } = await listen({}, told)
    const peer = await plain(listener)
    peer.write(invite({ 'Content-Length': '-1' }))
    expect((await told.packets.take()).flow.isOpen).toBe(false)
    expect(await restOf(peer)).toBe('SIP/2.0 400 Bad Request\r\n\r\n')
  })
})

describe('a connection', () => {
  it('is closed when a message does not end in time, however steadily its octets come', async () => {
    const { listener, closings } = await listen({ limits: { headerDeadlineMs: 150 } })
    const peer = await plain(listener)
    const port = peer.localPort
    const octets = [...invite()]
    const drip = setInterval(() => peer.write(Buffer.from([octets.shift() ?? 0])), 10)
    const { problem } = await closings.take()
    clearInterval(drip)
    expect(problem).toMatchObject({ code: 'header-deadline', remote: { port } })
  })

  it('is not closed while it says nothing, or one message after the other', async () => {
    const { listener, packets, closings } = await listen({ limits: { headerDeadlineMs: 200 } })
    const peer = await plain(listener)
    const half = invite().length >> 1
    for (let i = 0; i < 8; i++) {
      // Each write ends one message and begins the next.
      peer.write(Buffer.concat([i === 0 ? Buffer.alloc(0) : invite().subarray(half), invite().subarray(0, half)]))
      await new Promise((done) => setTimeout(done, 50))
    }
    peer.write(invite().subarray(half))
    await waitFor(() => packets.count === 8, 2_000)
    await new Promise((done) => setTimeout(done, 300))
    expect(closings.count).toBe(0)
  })

  it('that is idle is closed', async () => {
    const { listener, closings } = await listen({ limits: { idleMs: 100 } })
    await plain(listener)
    expect((await closings.take()).problem?.code).toBe('idle')
  })

  it('to a peer that does not read is closed before much waits for it', async () => {
    const { listener, opened, closings } = await listen()
    const peer = await plain(listener)
    peer.pause()
    const connection = await opened.take()
    const bytes = Buffer.alloc(65_536)
    for (let sent = 0; connection.isOpen; sent += bytes.length) {
      connection.send(bytes)
      expect(sent).toBeLessThan(64 * 1024 * 1024)
      if (sent % (1024 * 1024) === 0) await new Promise(setImmediate)
    }
    expect((await closings.take()).problem?.code).toBe('backlog')
  })

  it('half closed by its peer is not open, still takes what is being answered, and ends', async () => {
    const { listener, packets, closings } = await listen()
    const peer = await plain(listener)
    peer.end(invite())
    const { flow } = await packets.take()
    await waitFor(() => !flow.isOpen, 2_000)
    flow.send(Buffer.from('answer'))
    expect(await restOf(peer)).toBe('answer')
    expect((await closings.take()).problem).toBeUndefined()
  })

  it('sends what waits before it closes, and reports what comes after', async () => {
    const { listener } = await listen()
    const client = await dial({ remote: listener.local })
    const peer = await plain(listener)
    peer.destroy()
    client.connection.send(invite())
    const closed = client.connection.close()
    expect(client.connection.isOpen).toBe(false)
    client.connection.send(invite())
    expect(await client.problems.take()).toMatchObject({ code: 'closed', remote: listener.local })
    await closed
    await client.connection.close()
  })

  it('is destroyed when its peer does not close in turn', async () => {
    const mute = createServer({ allowHalfOpen: true }, (socket) => socket.resume())
    mute.listen(0, '127.0.0.1')
    await once(mute, 'listening')
    const { port } = mute.address() as AddressInfo
    const client = await dial({ remote: { transport: 'tcp', address: '127.0.0.1', port } })
    await client.connection.close()
    expect(client.closings.count).toBe(1)
    mute.close()
  })

  it('that is reset says why', async () => {
    const { listener, opened, closings } = await listen()
    const peer = await plain(listener)
    const connection = await opened.take()
    peer.resetAndDestroy()
    expect(await closings.take()).toMatchObject({ connection, problem: { code: 'ECONNRESET' } })
  })
})

describe('dialling', () => {
  it('says when nobody is there', async () => {
    const { listener } = await listen()
    await listener.close()
    await expect(connectStream({ remote: listener.local }, quiet)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  it('goes out from the address that was asked for', async () => {
    const { listener, opened } = await listen()
    await dial({ remote: listener.local, localAddress: '127.0.0.9' })
    expect((await opened.take()).remote.address).toBe('127.0.0.9')
  })
})
