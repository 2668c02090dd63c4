import { createSocket } from 'node:dgram'
import type { RemoteInfo, Socket, SocketOptions } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { Endpoint, Flow, Packet, SocketProblem } from './flow.ts'
import { problemOf } from './socket-problem.ts'

/** Enough for a burst of some thousand messages while the process is busy; the system may grant less. */
export const RECEIVE_BUFFER = 4 * 1024 * 1024

export interface ListenUdp {
  /** Numeric. */
  readonly address: string
  /** 0 lets the system choose. */
  readonly port: number
  /** Share the port with other processes: the system gives all datagrams of one source to one of them. */
  readonly reusePort?: boolean
  /** Octets; default 4 MB. */
  readonly receiveBuffer?: number
}

export interface ListenHandlers {
  readonly onPacket: (packet: Packet) => void
  readonly onError: (problem: SocketProblem) => void
}

export interface UdpListener {
  readonly local: Endpoint
  /** Never throws; failures go to `onError`. */
  sendTo(remote: Endpoint, bytes: Buffer): void
  close(): Promise<void>
}

/**
 * A socket that receives from everybody.
 *
 * @throws the system's error (`EADDRINUSE`, `EACCES`, …) when it cannot be bound
 */
export async function listenUdp(options: ListenUdp, handlers: ListenHandlers): Promise<UdpListener> {
  const socket = await bind(options)
  const local = localEndpoint(socket)
  const sendTo = (remote: Endpoint, bytes: Buffer): void =>
    attempt(
      () =>
        socket.send(bytes, remote.port, remote.address, (error) => error && handlers.onError(problemOf(error, remote))),
      (error) => handlers.onError(problemOf(error, remote)),
    )
  socket.on('error', (error) => handlers.onError(problemOf(error, undefined)))
  socket.on('message', (bytes, from) => {
    const receivedAt = performance.now()
    handlers.onPacket({ bytes, flow: new ListenerFlow(local, endpointOf(from), sendTo), receivedAt })
  })
  return { local, sendTo, close: () => closed(socket) }
}

class ListenerFlow implements Flow {
  readonly transport = 'udp'
  readonly isReliable = false
  readonly isOpen = true
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly #sendTo: (remote: Endpoint, bytes: Buffer) => void

  constructor(local: Endpoint, remote: Endpoint, sendTo: (remote: Endpoint, bytes: Buffer) => void) {
    this.local = local
    this.remote = remote
    this.#sendTo = sendTo
  }

  send(bytes: Buffer): void {
    this.#sendTo(this.remote, bytes)
  }
}

export interface ConnectUdp {
  readonly remote: { readonly address: string; readonly port: number }
  /** Numeric; default: what the system chooses for this remote. */
  readonly localAddress?: string
  readonly receiveBuffer?: number
}

export interface ConnectionHandlers extends ListenHandlers {
  /** The other side said that nobody is there (ICMP): `ECONNREFUSED`, `EHOSTUNREACH`, `ENETUNREACH`. */
  readonly onRefused: (problem: SocketProblem) => void
}

/** A socket for one remote: the only kind that hears of refusals, and that hears nobody else. */
export interface UdpConnection extends Flow {
  close(): Promise<void>
}

/** @throws the system's error when the socket cannot be bound or connected */
export async function connectUdp(options: ConnectUdp, handlers: ConnectionHandlers): Promise<UdpConnection> {
  const { address, port } = options.remote
  const remote: Endpoint = { transport: 'udp', address, port }
  const any = isIPv6(address) ? '::' : '0.0.0.0'
  const { receiveBuffer = RECEIVE_BUFFER } = options
  const socket = await bind({ address: options.localAddress ?? any, port: 0, receiveBuffer })
  await connected(socket, remote)
  const onFailure = (error: Error): void => {
    const problem = problemOf(error, remote)
    if (refusals.has(problem.code)) handlers.onRefused(problem)
    else handlers.onError(problem)
  }
  const onSent = (error: Error | null): void => {
    if (error) onFailure(error)
  }
  const connection: UdpConnection = {
    transport: 'udp',
    isReliable: false,
    isOpen: true,
    local: localEndpoint(socket),
    remote,
    send: (bytes) => attempt(() => socket.send(bytes, onSent), onFailure),
    close: () => closed(socket),
  }
  socket.on('error', onFailure)
  socket.on('message', (bytes) => handlers.onPacket({ bytes, flow: connection, receivedAt: performance.now() }))
  return connection
}

const refusals: ReadonlySet<string> = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH'])

// Node looks up even numeric addresses, and answers itself a tick later: work for nothing with each datagram.
const numericLookup: NonNullable<SocketOptions['lookup']> = (host, _options, done) =>
  done(null, host, isIPv6(host) ? 6 : 4)

function bind({ address, port, reusePort = false, receiveBuffer = RECEIVE_BUFFER }: ListenUdp): Promise<Socket> {
  const common = { reusePort, lookup: numericLookup }
  // ipv6Only: a listener on `::` stands beside the one on 0.0.0.0, and addresses never come IPv4-mapped.
  const socket = createSocket(
    isIPv6(address) ? { ...common, type: 'udp6', ipv6Only: true } : { ...common, type: 'udp4' },
  )
  return new Promise((resolve, reject) => {
    const onError = (error: Error): void => void closed(socket).then(() => reject(error))
    socket.once('error', onError)
    socket.bind({ address, port }, () => {
      socket.off('error', onError)
      attempt(() => socket.setRecvBufferSize(receiveBuffer), ignored)
      resolve(socket)
    })
  })
}

// A smaller buffer than asked for is no reason not to run.
const ignored = (): void => undefined

function connected(socket: Socket, remote: Endpoint): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    const onConnect = (error?: Error): void => {
      socket.off('error', reject)
      if (error === undefined) resolve()
      else void closed(socket).then(() => reject(error))
    }
    socket.connect(remote.port, remote.address, onConnect)
  })
}

function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    attempt(
      () => socket.close(() => resolve()),
      () => resolve(),
    )
  })
}

// Sockets throw on misuse (closed, bad port), where a message that cannot be sent is only one more loss.
function attempt(action: () => void, onError: (error: Error) => void): void {
  try {
    action()
  } catch (error) {
    onError(error instanceof Error ? error : new Error(String(error)))
  }
}

const endpointOf = (from: RemoteInfo): Endpoint => ({ transport: 'udp', address: from.address, port: from.port })

function localEndpoint(socket: Socket): Endpoint {
  const { address, port } = socket.address()
  return { transport: 'udp', address, port }
}
