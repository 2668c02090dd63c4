import { once } from 'node:events'
import { connect } from 'node:tls'
import type { ConnectionOptions, TLSSocket } from 'node:tls'
import { connectStream } from '@siplb/sip/transport'
import type { Endpoint, StreamListener, TlsServer } from '@siplb/sip/transport'
import { makeCertificate, waitFor } from '@siplb/testkit'
import type { TestCertificate } from '@siplb/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { invite } from '../messages.ts'
import { Told, closeAll, dial, gone, listen, plain, restOf } from './streams.ts'

let authority: TestCertificate
let stranger: TestCertificate
let server: TestCertificate
let other: TestCertificate
let client: TestCertificate

beforeAll(async () => {
  ;[authority, stranger] = await Promise.all([
    makeCertificate({ names: ['siplb test authority'] }),
    makeCertificate({ names: ['somebody else'] }),
  ])
  ;[server, other, client] = await Promise.all([
    makeCertificate({ names: ['sip.example.com', '127.0.0.1'], ca: authority }),
    makeCertificate({ names: ['other.example.com', '*.wild.example.com'], ca: authority }),
    makeCertificate({ names: ['client.example.com'], ca: authority }),
  ])
})
afterAll(() => Promise.all([authority, stranger, server, other, client].map((one) => one.remove())))
afterEach(closeAll)

const listenTls = (tls: Partial<TlsServer> = {}, limits = {}) =>
  listen({ transport: 'tls', tls: { cert: server.cert, key: server.key, ...tls }, limits })

/** A client that only shakes hands; gives the subject of the certificate that it got. */
async function subjectOf(listener: StreamListener, options: ConnectionOptions = {}): Promise<unknown> {
  const socket = connect({ port: listener.local.port, host: '127.0.0.1', ca: authority.cert, ...options })
  await once(socket, 'secureConnect')
  const { subject } = socket.getPeerCertificate()
  socket.destroy()
  return subject.CN
}

const fails = (remote: Endpoint, tls = {}) => connectStream({ remote, tls }, new Told())

describe('TLS', () => {
  it('carries messages both ways', async () => {
    const { listener, packets, opened } = await listenTls()
    const ours = await dial({ remote: listener.local, tls: { ca: authority.cert } })
    expect(ours.connection).toMatchObject({ transport: 'tls', isReliable: true, isOpen: true, remote: listener.local })
    ours.connection.send(Buffer.concat([invite(), invite()]))
    expect((await packets.take()).bytes).toEqual(invite())
    const { bytes, flow } = await packets.take()
    expect(bytes).toEqual(invite())
    expect(await opened.take()).toBe(flow)
    expect(flow).toMatchObject({ transport: 'tls', local: listener.local, remote: ours.connection.local })
    flow.send(invite({ Subject: 'answer' }))
    expect((await ours.packets.take()).bytes).toEqual(invite({ Subject: 'answer' }))
    expect(listener.connectionTo(ours.connection.local)).toBe(flow)
  })

  it('closes in order from either side', async () => {
    const { listener, opened, closings } = await listenTls()
    for (const side of ['ours', 'theirs'] as const) {
      const ours = await dial({ remote: listener.local, tls: { ca: authority.cert } })
      const theirs = await opened.take()
      await (side === 'ours' ? ours.connection : theirs).close()
      expect((await closings.take()).problem).toBeUndefined()
      expect((await ours.closings.take()).problem).toBeUndefined()
    }
    await waitFor(() => listener.size === 0, 2_000)
  })

  it('ends behind the answer to a message without length, as TCP does', async () => {
    const { listener, packets } = await listenTls()
    const peer = connect({ port: listener.local.port, host: '127.0.0.1', ca: authority.cert })
    await once(peer, 'secureConnect')
    peer.write(invite({ 'Content-Length': '' }))
    const packet = await packets.take()
    expect(packet.framing).toBe('content-length')
    packet.flow.send(Buffer.from('answer'))
    expect(await restOf(peer)).toBe('answer')
  })

  it('is refused by a client that does not trust the certificate, or wants another name', async () => {
    const { listener } = await listenTls()
    const remote = listener.local
    await expect(fails(remote, { ca: stranger.cert })).rejects.toMatchObject({
      code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    })
    const wanted = { ca: authority.cert, servername: 'another.example.com' }
    await expect(fails(remote, wanted)).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
    await dial({ remote, tls: { rejectUnauthorized: false } })
    await dial({ remote, tls: { ca: authority.cert, servername: 'sip.example.com' } })
  })

  it('speaks nothing older than 1.2', async () => {
    const { listener, problems } = await listenTls()
    const old = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    await expect(subjectOf(listener, old)).rejects.toThrow('alert')
    expect((await problems.take()).code).toBe('tls-handshake')
    expect(await subjectOf(listener, { maxVersion: 'TLSv1.2' })).toBe('sip.example.com')
  })

  it('counts peers that speak something else, and forgets them', async () => {
    const { listener, problems } = await listenTls()
    const peer = await plain(listener)
    peer.write(invite())
    expect((await problems.take()).code).toBe('tls-handshake')
    await waitFor(() => listener.size === 0, 2_000)
  })

  it('counts connections in their handshake, which has a deadline', async () => {
    const { listener, problems } = await listenTls({}, { headerDeadlineMs: 150, perAddress: 1 })
    await plain(listener)
    await waitFor(() => listener.size === 1, 2_000)
    await gone(await plain(listener))
    expect((await problems.take()).code).toBe('address-limit')
    expect((await problems.take()).code).toBe('tls-handshake')
    await waitFor(() => listener.size === 0, 2_000)
  })

  it('gives the deadline to dialling: a server that says nothing', async () => {
    const mute = await listen()
    const remote = { ...mute.listener.local, transport: 'tls' } as const
    const late = connectStream({ remote, connectMs: 100 }, new Told())
    await expect(late).rejects.toMatchObject({ code: 'ETIMEDOUT' })
    await waitFor(() => mute.listener.size === 0, 2_000)
  })

  it('has nobody left after a burst of connections that are reset', async () => {
    const { listener } = await listen({
      transport: 'tls',
      tls: { cert: server.cert, key: server.key },
      limits: { perAddress: 100 },
    })
    const peers = await Promise.all(Array.from({ length: 50 }, () => plain(listener)))
    for (const peer of peers) peer.resetAndDestroy()
    await waitFor(() => listener.size === 0, 5_000)
  })
})

describe('a listener with several certificates', () => {
  it('gives the one of the name that was asked for', async () => {
    const { listener } = await listenTls({
      servers: { 'other.example.com': other, '*.wild.example.com': other },
    })
    expect(await subjectOf(listener, { servername: 'other.example.com' })).toBe('other.example.com')
    expect(await subjectOf(listener, { servername: 'a.wild.example.com' })).toBe('other.example.com')
    expect(await subjectOf(listener, { servername: 'sip.example.com' })).toBe('sip.example.com')
    expect(await subjectOf(listener)).toBe('sip.example.com')
  })
})

describe('mutual TLS', () => {
  it('takes clients whose certificate the authority signed, and no others', async () => {
    const { listener, opened, problems } = await listenTls({ requestCert: true, ca: authority.cert })
    const { cert, key } = client
    await dial({ remote: listener.local, tls: { ca: authority.cert, cert, key } })
    await opened.take()
    for (const wrong of [{}, { cert: stranger.cert, key: stranger.key }]) {
      const peer: TLSSocket = connect({ port: listener.local.port, host: '127.0.0.1', ca: authority.cert, ...wrong })
      peer.on('error', () => undefined)
      await gone(peer)
      expect((await problems.take()).code).toBe('tls-handshake')
    }
    expect(opened.count).toBe(0)
    await waitFor(() => listener.size === 1, 2_000)
  })

  it('holds for every name', async () => {
    const servers = { 'other.example.com': other }
    const { listener, problems } = await listenTls({ requestCert: true, ca: authority.cert, servers })
    const host = { port: listener.local.port, host: '127.0.0.1', ca: authority.cert }
    const peer = connect({ ...host, servername: 'other.example.com' })
    peer.on('error', () => undefined)
    await gone(peer)
    expect((await problems.take()).code).toBe('tls-handshake')
    const { cert, key } = client
    expect(await subjectOf(listener, { servername: 'other.example.com', cert, key })).toBe('other.example.com')
  })
})

describe('a new certificate', () => {
  it('is for new connections; those there are go on', async () => {
    const { listener, packets } = await listenTls()
    const before = await dial({ remote: listener.local, tls: { ca: authority.cert } })
    listener.setTls({ cert: other.cert, key: other.key })
    expect(await subjectOf(listener, { servername: 'other.example.com' })).toBe('other.example.com')
    before.connection.send(invite())
    expect((await packets.take()).bytes).toEqual(invite())
  })

  it('that cannot be used is refused, and the earlier one stays', async () => {
    const { listener } = await listenTls()
    expect(() => listener.setTls({ cert: other.cert, key: server.key })).toThrow('key values mismatch')
    expect(() => listener.setTls({ cert: 'nonsense', key: server.key })).toThrow('no start line')
    expect(await subjectOf(listener)).toBe('sip.example.com')
    await expect(listenTls({ cert: 'nonsense' })).rejects.toThrow('no start line')
  })
})
