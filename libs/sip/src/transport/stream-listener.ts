import { randomBytes } from 'node:crypto'
import { createServer, isIPv6 } from 'node:net'
import type { Server, Socket } from 'node:net'
import type { Server as TlsDoor } from 'node:tls'
import { ConnectionCount } from './connection-count.ts'
import type { Endpoint, Transport } from './flow.ts'
import { SocketConnection } from './socket-connection.ts'
import { endsOf, socketOptions } from './socket-ends.ts'
import type { Ends } from './socket-ends.ts'
import { ourProblem, problemOf } from './socket-problem.ts'
import type { Reason } from './socket-problem.ts'
import { defaultStreamLimits } from './stream.ts'
import type { StreamConnection, StreamHandlers, StreamLimits, StreamListener, TlsServer } from './stream.ts'
import { createTlsDoor } from './tls.ts'
import { WebSocketConnection } from './websocket-connection.ts'
import { createWebSocketDoor } from './websocket-door.ts'
import type { WebSocketDoor } from './websocket-door.ts'

/** Connections that the system keeps while we are busy: a burst is taken, not turned away. */
const QUEUE = 1_024

export interface ListenStream {
  readonly transport: Exclude<Transport, 'udp'>
  /** Numeric. */
  readonly address: string
  /** 0 lets the system choose. */
  readonly port: number
  /** Needed for `tls` and `wss`. */
  readonly tls?: TlsServer
  readonly limits?: Partial<StreamLimits>
  /** Share the port with other processes. */
  readonly reusePort?: boolean
  /** Trusted: as many connections as it likes, whatever others have. */
  isExempt?(address: string): boolean
}

export interface ListenStreamHandlers extends StreamHandlers {
  onOpen?(connection: StreamConnection): void
}

/**
 * A socket that accepts connections from everybody, within limits.
 *
 * @throws the system's error when it cannot be bound (`EADDRINUSE`, `EACCES`, …) or the certificate cannot be used
 */
export async function listenStream(options: ListenStream, handlers: ListenStreamHandlers): Promise<StreamListener> {
  if (isSecure(options.transport) && options.tls === undefined) throw new TypeError('a secure transport needs `tls`')
  const server = createServer(socketOptions)
  const listener = new Listener(server, options, handlers)
  await bound(server, options)
  return listener
}

const isSecure = (transport: Transport): boolean => transport === 'tls' || transport === 'wss'
const isWebSocket = (transport: Transport): boolean => transport === 'ws' || transport === 'wss'

class Listener implements StreamListener {
  readonly #server: Server
  readonly #options: ListenStream
  readonly #handlers: ListenStreamHandlers
  readonly #limits: StreamLimits
  readonly #count: ConnectionCount
  /** Accepted, whatever has become of them. */
  readonly #sockets = new Set<Socket>()
  /** Ready for messages. */
  readonly #connections = new Map<string, StreamConnection>()
  readonly #webSocketDoor: WebSocketDoor | undefined
  #local: Endpoint
  #tlsDoor: TlsDoor | undefined = undefined

  constructor(server: Server, options: ListenStream, handlers: ListenStreamHandlers) {
    const { transport, address, port } = options
    this.#local = { transport, address, port }
    this.#server = server
    this.#options = options
    this.#handlers = handlers
    this.#limits = { ...defaultStreamLimits, ...options.limits }
    this.#count = new ConnectionCount(this.#limits)
    if (isWebSocket(transport)) this.#webSocketDoor = this.#createWebSocketDoor()
    if (options.tls !== undefined) this.setTls(options.tls)
    server.on('connection', (socket) => this.#accept(socket))
    server.on('listening', () => this.#onListening())
  }

  get local(): Endpoint {
    return this.#local
  }

  get size(): number {
    return this.#count.size
  }

  connectionTo(remote: Omit<Endpoint, 'transport'>): StreamConnection | undefined {
    const connection = this.#connections.get(keyOf(remote))
    const isMeant = remote.connection === undefined || remote.connection === connection?.remote.connection
    return isMeant && connection?.isOpen === true ? connection : undefined
  }

  setTls(tls: TlsServer): void {
    this.#tlsDoor = createTlsDoor(tls, this.#limits.headerDeadlineMs, {
      onSecure: (socket) => this.#ready(socket),
      onFailure: (error, socket) => {
        this.#refuse('tls-handshake', socket, error.message)
        socket.destroy()
      },
    })
  }

  #createWebSocketDoor(): WebSocketDoor {
    const { headerDeadlineMs, buffered } = this.#limits
    return createWebSocketDoor({
      handshakeMs: headerDeadlineMs,
      maxPayload: buffered,
      onFailure: (reason, socket) => this.#refuse(reason, socket),
      onOpen: (webSocket, socket) =>
        this.#open(socket, (ends) => new WebSocketConnection(webSocket, socket, ends, this.#limits, this.#watching)),
    })
  }

  #refuse(reason: Reason, socket: Socket, detail?: string): void {
    this.#handlers.onProblem(ourProblem(reason, endsOf(socket, this.#options.transport)?.remote, detail))
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    const connections = [...this.#connections.values()]
    await Promise.all(connections.map((connection) => connection.close()))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #onListening(): void {
    const bound = this.#server.address()
    if (bound !== null && typeof bound === 'object') this.#local = { ...this.#local, port: bound.port }
    this.#server.on('error', (error) => this.#handlers.onProblem(problemOf(error, undefined)))
  }

  #accept(socket: Socket): void {
    const ends = endsOf(socket, this.#options.transport)
    if (ends === undefined) return void socket.destroy()
    const { remote } = ends
    const isExempt = this.#options.isExempt?.(remote.address) ?? false
    const refusal = this.#count.enter(remote.address, isExempt)
    if (refusal !== undefined) {
      socket.destroy()
      return this.#handlers.onProblem(ourProblem(refusal, remote))
    }
    this.#sockets.add(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      this.#count.leave(remote.address, isExempt)
    })
    if (isSecure(this.#options.transport)) this.#tlsDoor?.emit('connection', socket)
    else this.#ready(socket)
  }

  #ready(socket: Socket): void {
    if (this.#webSocketDoor !== undefined) this.#webSocketDoor.admit(socket)
    else this.#open(socket, (ends) => new SocketConnection(socket, ends, this.#limits, this.#watching))
  }

  #open(socket: Socket, make: (ends: Ends) => StreamConnection): void {
    const ends = endsOf(socket, this.#options.transport)
    if (ends === undefined) return void socket.destroy()
    const connection = make({ ...ends, remote: { ...ends.remote, connection: newName() } })
    this.#connections.set(keyOf(connection.remote), connection)
    this.#handlers.onOpen?.(connection)
  }

  readonly #watching: StreamHandlers = {
    onPacket: (packet) => this.#handlers.onPacket(packet),
    onProblem: (problem) => this.#handlers.onProblem(problem),
    onClosed: (connection, problem) => {
      // A new one from the same port may be there before the end of the old one is told.
      const key = keyOf(connection.remote)
      if (this.#connections.get(key) === connection) this.#connections.delete(key)
      this.#handlers.onClosed(connection, problem)
    },
  }
}

/** Not the same again after a restart. */
const newName = (): string => randomBytes(6).toString('base64url')

const keyOf = (remote: { readonly address: string; readonly port: number }): string =>
  `${remote.port} ${remote.address}`

function bound(server: Server, { address, port, reusePort = false }: ListenStream): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    // ipv6Only: a listener on `::` stands beside the one on 0.0.0.0, and addresses never come IPv4-mapped.
    server.listen({ host: address, port, reusePort, ipv6Only: isIPv6(address), backlog: QUEUE }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}
