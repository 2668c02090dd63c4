import { isIPv6 } from 'node:net'
import type { IngressConfig, IngressLimits } from '@siplb/contracts'
import type { Component, Logger } from '@siplb/runtime'
import {
  listenStream,
  listenUdp,
  udpDoor,
  type Endpoint,
  type Packet,
  type SocketProblem,
  type StreamConnection,
  type StreamListener,
  type TlsServer,
  type Transport,
  type UdpListener,
} from '@siplb/sip/transport'
import type { Side } from '../domain/record-route.ts'
import { ConnectionLink } from './link.ts'
import { ownAddresses } from './surroundings.ts'

export interface ListenersOptions {
  readonly endpoints: readonly Endpoint[]
  /** `host` or `host:port`, or one for each transport; default: the listening address. */
  readonly advertise: IngressConfig['advertise']
  /** What callers by TLS are shown. */
  readonly tls: () => TlsServer | undefined
  /** Of connections; datagrams are measured when they are read. */
  readonly limits: IngressLimits
  /** Sources that no limit holds for. */
  readonly isTrusted: (address: string) => boolean
  readonly onPacket: (packet: Packet) => void
  readonly onProblem: (problem: SocketProblem) => void
  readonly onListening: (local: Endpoint, advertised: string) => void
  readonly log: Logger
  /** Other workers listen there too. */
  readonly isShared?: boolean
}

interface Open extends Side {
  readonly local: Endpoint
  readonly socket: UdpListener | StreamListener
}

/** The sockets that callers and proxies send to. */
export class Listeners implements Component {
  readonly name = 'listeners'
  readonly #options: ListenersOptions
  #open: Open[] = []
  /** Of those that were used to send requests. */
  readonly #links = new Map<StreamConnection, ConnectionLink>()

  constructor(options: ListenersOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { endpoints, advertise, onListening, log } = this.#options
    const door = udpDoor().name
    for (const endpoint of endpoints) {
      const socket = await this.#listen(endpoint).catch((error: unknown) => {
        const { transport, address, port } = endpoint
        const where = `${transport}://${isIPv6(address) ? `[${address}]` : address}:${port}`
        throw new Error(
          `cannot listen on ${where}; is the port taken, or the address not of this machine? Set ingress.listen`,
          { cause: error },
        )
      })
      const { local } = socket
      const host = advertisedFor(local, advertise)
      this.#open.push({ transport: local.transport, host, local, socket })
      onListening(local, host)
      const { transport, address, port } = local
      log.info({ transport, address, port, advertised: host, ...(transport === 'udp' && { door }) }, 'listening')
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#open.map(({ socket }) => socket.close()))
    this.#open = []
  }

  /** As whom we are known to who sent to this socket; of a connection that we made, as whom we listen by its transport. */
  sideOf(local: Endpoint): Side {
    return this.#of(local) ?? this.#sideBy(local) ?? nobody
  }

  /** As whom we are known to who is sent to there: by the socket that the other side of the request uses, where that fits. */
  sideTowards(remote: Endpoint, local: Endpoint): Side {
    const near = this.#of(local)
    if (near !== undefined && fits(near.local, remote)) return near
    return this.#sideBy(remote) ?? this.sideOf(local)
  }

  /** Whether one of our sockets can send there by UDP. */
  canSendTo(remote: Endpoint): boolean {
    return this.#open.some(({ local }) => fits(local, remote))
  }

  /** By UDP. */
  sendFrom(local: Endpoint, remote: Endpoint, bytes: Buffer): void {
    const near = this.#of(local)
    const open =
      near !== undefined && fits(near.local, remote) ? near : this.#open.find((one) => fits(one.local, remote))
    if (open !== undefined && 'sendTo' in open.socket) open.socket.sendTo(remote, bytes)
  }

  /** The way by the connection that somebody made to us from there, while it is open. */
  linkTo(remote: Endpoint): ConnectionLink | undefined {
    const connection = this.#connectionTo(remote)
    if (connection === undefined) return undefined
    const link = this.#links.get(connection) ?? new ConnectionLink(connection)
    this.#links.set(connection, link)
    return link
  }

  /** How many connections callers hold. */
  connections(): Map<Transport, number> {
    const counts = new Map<Transport, number>()
    for (const { transport, socket } of this.#open) {
      if ('size' in socket) counts.set(transport, (counts.get(transport) ?? 0) + socket.size)
    }
    return counts
  }

  /** New connections get the certificates as they are now. */
  renewTls(): void {
    const tls = this.#options.tls()
    if (tls === undefined) return
    for (const { transport, socket } of this.#open) {
      if ('setTls' in socket && (transport === 'tls' || transport === 'wss')) socket.setTls(tls)
    }
  }

  /** Where other instances of ours reach this one: `host:port` for UDP, with `;transport=` for another. */
  ownPlace(): string | undefined {
    const reachable = this.#open.toSorted((a, b) => Number(isLoopback(a.local)) - Number(isLoopback(b.local)))
    const open =
      reachable.find(({ transport }) => transport === 'udp') ?? reachable.find(({ transport }) => transport === 'tcp')
    if (open === undefined) return undefined
    const place = advertisedFor(open.local, undefined)
    return open.transport === 'udp' ? place : `${place};transport=${open.transport}`
  }

  #connectionTo(remote: Endpoint): StreamConnection | undefined {
    for (const { socket } of this.#open) {
      const isRight = 'connectionTo' in socket && socket.local.transport === remote.transport
      const found = isRight ? socket.connectionTo(remote) : undefined
      if (found?.isOpen === true) return found
    }
    return undefined
  }

  #closed(connection: StreamConnection): void {
    this.#links.get(connection)?.giveUpPending()
    this.#links.delete(connection)
  }

  #listen({ transport, address, port }: Endpoint): Promise<UdpListener | StreamListener> {
    const { onPacket, onProblem, isTrusted, isShared: reusePort = false } = this.#options
    const { connections, connectionsPerAddress: perAddress, headerDeadlineMs } = this.#options.limits
    const limits = { connections, perAddress, headerDeadlineMs }
    if (transport === 'udp') return listenUdp({ address, port, reusePort }, { onPacket, onError: onProblem })
    const tls = transport === 'tls' || transport === 'wss' ? this.#options.tls() : undefined
    return listenStream(
      { transport, address, port, reusePort, limits, isExempt: isTrusted, ...(tls === undefined ? {} : { tls }) },
      { onPacket, onProblem, onClosed: (connection) => this.#closed(connection) },
    )
  }

  #of({ transport, address, port }: Endpoint): Open | undefined {
    return this.#open.find(
      ({ local }) => local.transport === transport && local.port === port && isBoundTo(local.address, address),
    )
  }

  #sideBy(other: Endpoint): Open | undefined {
    return (
      this.#open.find(({ local }) => fits(local, other)) ??
      this.#open.find(({ local }) => local.transport === other.transport)
    )
  }
}

const nobody: Side = { transport: 'udp', host: '' }

function fits(local: Endpoint, remote: Endpoint): boolean {
  return local.transport === remote.transport && isOfIPv6(local) === isOfIPv6(remote)
}

/** Numeric, so that one character tells. */
function isOfIPv6({ address }: Endpoint): boolean {
  return address.includes(':')
}

function isLoopback({ address }: Endpoint): boolean {
  return address === '::1' || address.startsWith('127.')
}

/** A connection's own address is one of those behind the wildcard that its listener is bound to. */
function isBoundTo(bound: string, address: string): boolean {
  return (
    bound === address || (bound === '0.0.0.0' && !address.includes(':')) || (bound === '::' && address.includes(':'))
  )
}

function advertisedFor(local: Endpoint, advertise: IngressConfig['advertise']): string {
  const given = typeof advertise === 'string' ? advertise : advertise?.[local.transport]
  const [, host = given, port] = /^(.*):(\d+)$/.exec(given ?? '') ?? []
  // One for all: its port is that of UDP and TCP, which share theirs as a rule; what else listens does so at another.
  const isPortOfOthers = typeof advertise === 'string' && local.transport !== 'udp' && local.transport !== 'tcp'
  if (host !== undefined) return `${host}:${isPortOfOthers ? local.port : (port ?? local.port)}`
  const isWildcard = local.address === '0.0.0.0' || local.address === '::'
  const address = isWildcard
    ? (ownAddresses(local.address === '::' ? 'IPv6' : 'IPv4')[0] ?? '127.0.0.1')
    : local.address
  return `${address.includes(':') ? `[${address}]` : address}:${local.port}`
}
