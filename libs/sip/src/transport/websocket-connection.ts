import { isUtf8 } from 'node:buffer'
import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import type { Endpoint, SocketProblem, Transport } from './flow.ts'
import type { Ends } from './socket-ends.ts'
import { ourProblem, problemOf } from './socket-problem.ts'
import type { Reason } from './socket-problem.ts'
import { BACKLOG, CLOSE_MS } from './stream.ts'
import type { StreamConnection, StreamHandlers, StreamLimits } from './stream.ts'

const crlf = Buffer.from('\r\n')
const ping = Buffer.from('\r\n\r\n')
/** The balancer goes away (RFC 6455, 7.4.1). */
const GOING_AWAY = 1001

/** SIP over WebSocket (RFC 7118): each message of the one is a message of the other, so nothing has to be cut. */
export class WebSocketConnection implements StreamConnection {
  readonly transport: Transport
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly isReliable = true
  readonly #webSocket: WebSocket
  readonly #handlers: StreamHandlers
  readonly #deadlineMs: number
  readonly #closed = Promise.withResolvers<void>()
  #isOpen = true
  #isClosed = false
  #problem: SocketProblem | undefined = undefined
  #deadline: NodeJS.Timeout | undefined = undefined
  #grace: NodeJS.Timeout | undefined = undefined

  constructor(webSocket: WebSocket, socket: Socket, ends: Ends, limits: StreamLimits, handlers: StreamHandlers) {
    this.transport = ends.transport
    this.local = ends.local
    this.remote = ends.remote
    this.#webSocket = webSocket
    this.#handlers = handlers
    this.#deadlineMs = limits.headerDeadlineMs
    this.#watchFrames(webSocket, socket)
    webSocket.on('message', (data) => this.#onMessage(data))
    webSocket.on('error', (error) => (this.#problem ??= problemOf(error, ends.remote)))
    webSocket.on('close', () => this.#onClose())
    socket.once('error', (error) => (this.#problem ??= problemOf(error, ends.remote)))
    socket.once('end', () => (this.#isOpen = false))
    socket.on('timeout', () => this.#fail('idle'))
    socket.setTimeout(limits.idleMs)
  }

  get isOpen(): boolean {
    return this.#isOpen && this.#webSocket.readyState === this.#webSocket.OPEN
  }

  send(bytes: Buffer): void {
    const webSocket = this.#webSocket
    if (webSocket.readyState !== webSocket.OPEN) return this.#handlers.onProblem(ourProblem('closed', this.remote))
    if (webSocket.bufferedAmount + bytes.length > BACKLOG) return this.#fail('backlog')
    // RFC 7118, 5: either kind may be used, and text has to be UTF-8.
    webSocket.send(bytes, { binary: !isUtf8(bytes) })
  }

  close(): Promise<void> {
    this.#isOpen = false
    if (!this.#isClosed) this.#grace ??= setTimeout(() => this.destroy(), CLOSE_MS)
    this.#webSocket.close(GOING_AWAY)
    return this.#closed.promise
  }

  destroy(): void {
    this.#isOpen = false
    this.#webSocket.terminate()
  }

  #fail(reason: Reason): void {
    this.#problem ??= ourProblem(reason, this.remote)
    this.destroy()
  }

  // Octets begin a frame, and its end stops the clock. They have to be seen before `ws` sees them.
  #watchFrames(webSocket: WebSocket, socket: Socket): void {
    socket.prependListener('data', () => {
      this.#deadline ??= setTimeout(() => this.#fail('header-deadline'), this.#deadlineMs)
    })
    for (const event of ['message', 'ping', 'pong']) webSocket.on(event, () => this.#stopClock())
  }

  #stopClock(): void {
    clearTimeout(this.#deadline)
    this.#deadline = undefined
  }

  #onMessage(data: Buffer | ArrayBuffer | Buffer[]): void {
    if (!this.#isOpen || !Buffer.isBuffer(data)) return
    if (data.equals(ping)) this.send(crlf)
    else if (!data.equals(crlf)) this.#handlers.onPacket({ bytes: data, flow: this, receivedAt: performance.now() })
  }

  #onClose(): void {
    this.#isOpen = false
    this.#isClosed = true
    this.#stopClock()
    clearTimeout(this.#grace)
    this.#closed.resolve()
    this.#handlers.onClosed(this, this.#problem)
  }
}
