import { createSocket } from 'node:dgram'
import type { RemoteInfo, Socket, SocketOptions } from 'node:dgram'
import { isIPv6 } from 'node:net'
import type { Endpoint, Flow, Packet } from './flow.ts'
import { Gathering } from './gathering.ts'
import { isRefusal, problemOf } from './socket-problem.ts'
import type {
  ConnectionHandlers,
  ConnectUdp,
  ListenHandlers,
  ListenUdp,
  UdpConnection,
  UdpDoor,
  UdpListener,
} from './udp-door.ts'
import { RECEIVE_BUFFER } from './receive-buffer.ts'

const gathering = new Gathering({ later: (ms, work) => void setTimeout(work, ms) })

/** Through `node:dgram`: there on every machine. */
export const dgramDoor: UdpDoor = { name: 'dgram', listen, connect }

async function listen(options: ListenUdp, handlers: ListenHandlers): Promise<UdpListener> {
  const socket = await bind(options)
  const { take, close } = untilClosed(socket, handlers.onPacket)
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
    const flow = new ListenerFlow(local, endpointOf(from), sendTo)
    gathering.receive({ bytes, flow, receivedAt }, take)
  })
  return { local, sendTo, close }
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

async function connect(options: ConnectUdp, handlers: ConnectionHandlers): Promise<UdpConnection> {
  const { address, port } = options.remote
  const remote: Endpoint = { transport: 'udp', address, port }
  const any = isIPv6(address) ? '::' : '0.0.0.0'
  const { receiveBuffer } = options
  const socket = await bind({ address: options.localAddress ?? any, port: 0, ...(receiveBuffer && { receiveBuffer }) })
  await connected(socket, remote)
  const { take, close } = untilClosed(socket, handlers.onPacket)
  const onFailure = (error: Error): void => {
    const problem = problemOf(error, remote)
    if (isRefusal(problem.code)) handlers.onRefused(problem)
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
    close,
  }
  socket.on('error', onFailure)
  socket.on('message', (bytes) => gathering.receive({ bytes, flow: connection, receivedAt: performance.now() }, take))
  return connection
}

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

/** What was gathered when a socket closes is not given to anybody any more. */
function untilClosed(socket: Socket, onPacket: (packet: Packet) => void) {
  let isClosed = false
  return {
    take: (packet: Packet): void => {
      if (!isClosed) onPacket(packet)
    },
    close: (): Promise<void> => {
      isClosed = true
      return closed(socket)
    },
  }
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
