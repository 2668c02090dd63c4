import { isIPv6 } from 'node:net'
import { getSystemErrorMessage, getSystemErrorName } from 'node:util'
import type { Endpoint, Flow, SocketProblem } from './flow.ts'
import { BUSY, GATHER_MS, QUIET } from './gathering.ts'
import { loadNative, type Destination, type NativeDoor, type NativeHandler } from './native-door.ts'
import { RECEIVE_BUFFER } from './receive-buffer.ts'
import { isRefusal } from './socket-problem.ts'
import type {
  ConnectionHandlers,
  ConnectUdp,
  ListenHandlers,
  ListenUdp,
  UdpConnection,
  UdpDoor,
  UdpListener,
} from './udp-door.ts'

/** As the others of a listener: phones come and go. */
const REMEMBERED = 16_384
/** No datagram has more octets. */
const LARGEST = 65_535

let found: { readonly door: UdpDoor } | { readonly missing: string } | undefined

/** Through the add-on, if it was built here; else why not, and what to do. */
export function nativeDoor(): { readonly door: UdpDoor } | { readonly missing: string } {
  found ??= find()
  return found
}

function find(): { readonly door: UdpDoor } | { readonly missing: string } {
  const loaded = loadNative()
  if ('missing' in loaded) return { missing: `${loaded.missing}; npm run build:native builds it` }
  const native = loaded.door
  native.pace(GATHER_MS, BUSY, QUIET)
  return {
    door: {
      name: 'native',
      listen: async (options, handlers) => new NativeListener(native, options, handlers),
      connect: async (options, handlers) => new NativeConnection(native, options, handlers),
    },
  }
}

class NativeListener implements UdpListener, NativeHandler {
  readonly local: Endpoint
  readonly #door: NativeDoor
  readonly #handlers: ListenHandlers
  readonly #socket: number
  readonly #sources = new Map<number | string, ListenerFlow>()
  readonly #destinations = new Map<string, Destination>()
  #isOpen = true

  constructor(door: NativeDoor, options: ListenUdp, handlers: ListenHandlers) {
    const { address, port, reusePort = false, receiveBuffer = RECEIVE_BUFFER } = options
    this.#door = door
    this.#handlers = handlers
    this.#socket = door.open(address, port, reusePort, receiveBuffer, this)
    this.local = { transport: 'udp', ...door.local(this.#socket) }
  }

  datagram(bytes: Buffer, slot: number, receivedAt: number): void {
    const key = this.#door.sourceKey(slot)
    let flow = this.#sources.get(key)
    if (flow === undefined) {
      flow = new ListenerFlow(this, { transport: 'udp', ...this.#door.source(slot) })
      remember(this.#sources, key, flow)
    }
    this.#handlers.onPacket({ bytes, flow, receivedAt })
  }

  failed(errno: number, remote: { readonly address: string; readonly port: number } | undefined): void {
    this.#handlers.onError(problemOf(errno, remote && { transport: 'udp', ...remote }))
  }

  sendTo(remote: Endpoint, bytes: Buffer): void {
    const { address, port } = remote
    const to = this.#destinationOf(address)
    const isRight = this.#isOpen && to !== undefined && port > 0 && port < 65_536 && bytes.length <= LARGEST
    if (isRight) this.#door.queue(this.#socket, bytes, to, port)
    else later(() => this.#handlers.onError({ ...this.#whatIsWrong(to, port), remote }))
  }

  async close(): Promise<void> {
    if (this.#isOpen) this.#door.close(this.#socket)
    this.#isOpen = false
  }

  #whatIsWrong(to: Destination | undefined, port: number): { readonly code: string; readonly message: string } {
    if (!this.#isOpen) return notRunning
    if (!(port > 0 && port < 65_536)) return badPort
    return to === undefined ? noSuchAddress : tooLarge
  }

  /** Of the family of this socket. */
  #destinationOf(address: string): Destination | undefined {
    const known = this.#destinations.get(address)
    if (known !== undefined) return known
    const parsed = isIPv6(address) === isIPv6(this.local.address) ? this.#door.destination(address) : undefined
    if (parsed !== undefined) remember(this.#destinations, address, parsed)
    return parsed
  }
}

class ListenerFlow implements Flow {
  readonly transport = 'udp'
  readonly isReliable = false
  readonly isOpen = true
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly #listener: NativeListener

  constructor(listener: NativeListener, remote: Endpoint) {
    this.#listener = listener
    this.local = listener.local
    this.remote = remote
  }

  send(bytes: Buffer): void {
    this.#listener.sendTo(this.remote, bytes)
  }
}

class NativeConnection implements UdpConnection, NativeHandler {
  readonly transport = 'udp'
  readonly isReliable = false
  readonly isOpen = true
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly #door: NativeDoor
  readonly #handlers: ConnectionHandlers
  readonly #socket: number
  #isRunning = true

  constructor(door: NativeDoor, options: ConnectUdp, handlers: ConnectionHandlers) {
    const { address, port } = options.remote
    const { localAddress = isIPv6(address) ? '::' : '0.0.0.0', receiveBuffer = RECEIVE_BUFFER } = options
    this.#door = door
    this.#handlers = handlers
    this.remote = { transport: 'udp', address, port }
    this.#socket = door.open(localAddress, 0, false, receiveBuffer, this)
    try {
      door.connect(this.#socket, address, port)
      this.local = { transport: 'udp', ...door.local(this.#socket) }
    } catch (error) {
      door.close(this.#socket)
      throw error
    }
  }

  datagram(bytes: Buffer, _slot: number, receivedAt: number): void {
    this.#handlers.onPacket({ bytes, flow: this, receivedAt })
  }

  failed(errno: number): void {
    const problem = problemOf(errno, this.remote)
    if (isRefusal(problem.code)) this.#handlers.onRefused(problem)
    else this.#handlers.onError(problem)
  }

  send(bytes: Buffer): void {
    if (this.#isRunning && bytes.length <= LARGEST) return this.#door.queue(this.#socket, bytes)
    const wrong = this.#isRunning ? tooLarge : notRunning
    later(() => this.#handlers.onError({ ...wrong, remote: this.remote }))
  }

  async close(): Promise<void> {
    if (this.#isRunning) this.#door.close(this.#socket)
    this.#isRunning = false
  }
}

// As node:dgram names them.
const notRunning = { code: 'ERR_SOCKET_DGRAM_NOT_RUNNING', message: 'the socket is closed' }
const badPort = { code: 'ERR_SOCKET_BAD_PORT', message: 'a port is a number from 1 to 65535' }
const tooLarge = { code: 'EMSGSIZE', message: 'no datagram is as large as this message' }
const noSuchAddress = { code: 'EINVAL', message: 'no address that this socket can send to' }

const problemOf = (errno: number, remote: Endpoint | undefined): SocketProblem => ({
  code: getSystemErrorName(-errno),
  message: getSystemErrorMessage(-errno) ?? '',
  remote,
})

// Who sends is never told of a failure before its call has ended.
const later = (work: () => void): void => process.nextTick(work)

/** Forgets all when there are too many: what is in use comes back with the next datagram. */
function remember<K, V>(map: Map<K, V>, key: K, value: V): void {
  if (map.size >= REMEMBERED) map.clear()
  map.set(key, value)
}
