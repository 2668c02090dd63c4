import type { Socket } from 'node:net'
import { StreamFramer } from '../framing/stream-framer.ts'
import type { Framed } from '../framing/stream-framer.ts'
import type { Endpoint, SocketProblem, Transport } from './flow.ts'
import type { Ends } from './socket-ends.ts'
import { ourProblem, problemOf } from './socket-problem.ts'
import type { Reason } from './socket-problem.ts'
import { BACKLOG, CLOSE_MS } from './stream.ts'
import type { StreamConnection, StreamHandlers, StreamLimits } from './stream.ts'

/** For the last answer to be given, where nothing more can come. */
const ANSWER_MS = 250

const crlf = Buffer.from('\r\n')

/** SIP over a connected socket, TCP or TLS: cut into messages, kept to its limits. */
export class SocketConnection implements StreamConnection {
  readonly transport: Transport
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly isReliable = true
  readonly #socket: Socket
  readonly #handlers: StreamHandlers
  readonly #framer: StreamFramer
  readonly #deadlineMs: number
  readonly #closed = Promise.withResolvers<void>()
  #isOpen = true
  #sends = 0
  #problem: SocketProblem | undefined = undefined
  #deadline: NodeJS.Timeout | undefined = undefined
  #grace: NodeJS.Timeout | undefined = undefined

  constructor(socket: Socket, ends: Ends, limits: StreamLimits, handlers: StreamHandlers) {
    this.transport = ends.transport
    this.local = ends.local
    this.remote = ends.remote
    this.#socket = socket
    this.#handlers = handlers
    this.#framer = new StreamFramer(limits)
    this.#deadlineMs = limits.headerDeadlineMs
    socket.on('data', (chunk) => this.#onData(chunk))
    socket.on('end', () => this.#onEnd())
    socket.on('error', (error) => (this.#problem ??= problemOf(error, ends.remote)))
    socket.on('timeout', () => this.#fail('idle'))
    socket.on('close', () => this.#onClose())
    socket.setTimeout(limits.idleMs)
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  send(bytes: Buffer): void {
    const socket = this.#socket
    if (!socket.writable) return this.#handlers.onProblem(ourProblem('closed', this.remote))
    if (socket.writableLength + bytes.length > BACKLOG) return this.#fail('backlog')
    this.#sends++
    socket.write(bytes)
  }

  close(): Promise<void> {
    this.#isOpen = false
    clearTimeout(this.#grace)
    if (!this.#socket.destroyed) this.#grace = setTimeout(() => this.destroy(), CLOSE_MS)
    this.#socket.end()
    return this.#closed.promise
  }

  destroy(): void {
    this.#isOpen = false
    this.#socket.destroy()
  }

  #fail(reason: Reason): void {
    this.#problem ??= ourProblem(reason, this.remote)
    this.destroy()
  }

  // What comes while we close is read all the same: closing on unread octets would reset, and take our answer with it.
  #onData(chunk: Buffer): void {
    const receivedAt = performance.now()
    const framed = this.#isOpen ? this.#framer.push(chunk) : []
    for (const one of framed) if (this.#isOpen) this.#take(one, receivedAt)
    // One pong answers all pings of one read.
    if (this.#isOpen && framed.some((one) => one.kind === 'ping')) this.send(crlf)
    this.#watchDeadline(framed.length > 0)
  }

  #take(framed: Framed, receivedAt: number): void {
    if (framed.kind === 'message') this.#handlers.onPacket({ bytes: framed.bytes, flow: this, receivedAt })
    else if (framed.kind === 'unframed') this.#takeLast(framed, receivedAt)
  }

  #takeLast({ bytes, problem }: Framed & { kind: 'unframed' }, receivedAt: number): void {
    const sends = this.#sends
    this.#handlers.onPacket({ bytes, flow: this, receivedAt, framing: problem })
    if (this.#sends > sends) void this.close()
    else this.#closeSoon()
  }

  #watchDeadline(isNew: boolean): void {
    const isPartial = this.#isOpen && this.#framer.isPartial
    if (isPartial && !isNew && this.#deadline !== undefined) return
    clearTimeout(this.#deadline)
    this.#deadline = isPartial ? setTimeout(() => this.#fail('header-deadline'), this.#deadlineMs) : undefined
  }

  // The other side sends nothing more, and may yet read what is being answered.
  #onEnd(): void {
    this.#isOpen = false
    clearTimeout(this.#deadline)
    this.#closeSoon()
  }

  #closeSoon(): void {
    this.#grace ??= setTimeout(() => void this.close(), ANSWER_MS)
  }

  #onClose(): void {
    this.#isOpen = false
    clearTimeout(this.#deadline)
    clearTimeout(this.#grace)
    this.#closed.resolve()
    this.#handlers.onClosed(this, this.#problem)
  }
}
