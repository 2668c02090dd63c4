import { once } from 'node:events'
import { createServer, connect, type Server, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { waitFor } from '@siplb/testkit'
import type { RequestParts } from './messages.ts'
import { Heard, responseText, type AnswerParts, type Place, type Wanted } from './peer.ts'
import { token } from './phone.ts'

/** One TCP connection that says exactly what the test wants; cuts what it hears by Content-Length, with no code of the balancer's. */
export class StreamPeer implements AsyncDisposable {
  readonly heard: Heard[] = []
  readonly place: Place
  readonly #untaken: Heard[] = []
  readonly #socket: Socket
  #buffer = Buffer.alloc(0)
  /** All octets that came, as latin1. */
  octets = ''
  isEnded = false

  constructor(socket: Socket) {
    this.#socket = socket
    this.place = { address: socket.localAddress ?? '', port: socket.localPort ?? 0 }
    socket.on('data', (chunk) => this.#take(chunk))
    socket.on('error', () => {})
    socket.on('close', () => (this.isEnded = true))
    socket.on('end', () => (this.isEnded = true))
  }

  static async connect(to: Place, from?: string): Promise<StreamPeer> {
    const socket = connect({ host: to.address, port: to.port, ...(from === undefined ? {} : { localAddress: from }) })
    await once(socket, 'connect')
    socket.setNoDelay(true)
    return new StreamPeer(socket)
  }

  get hostPort(): string {
    return `${this.place.address}:${this.place.port}`
  }

  send(message: Buffer | string): void {
    this.#socket.write(typeof message === 'string' ? Buffer.from(message, 'latin1') : message)
  }

  answer(request: Heard, status: number, parts: AnswerParts = {}): void {
    this.send(responseText(request, status, parts))
  }

  async next(wanted: Wanted, timeoutMs = 8000): Promise<Heard> {
    const fits = (heard: Heard) =>
      typeof wanted === 'number' ? heard.status === wanted : heard.startLine.startsWith(`${wanted} `)
    const take = () => {
      const at = this.#untaken.findIndex(fits)
      return at < 0 ? undefined : this.#untaken.splice(at, 1)[0]
    }
    return waitFor(take, timeoutMs, `${wanted}; heard: ${this.heard.map((h) => h.startLine).join(', ')}`)
  }

  count(wanted: Wanted): number {
    return this.heard.filter((heard) =>
      typeof wanted === 'number' ? heard.status === wanted : heard.startLine.startsWith(`${wanted} `),
    ).length
  }

  async close(): Promise<void> {
    if (this.#socket.destroyed) return
    const closed = once(this.#socket, 'close')
    this.#socket.destroy()
    await closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  #take(chunk: Buffer): void {
    this.octets += chunk.toString('latin1')
    this.#buffer = Buffer.concat([this.#buffer, chunk])
    for (;;) {
      const end = this.#buffer.indexOf('\r\n\r\n')
      if (end < 0) return
      const head = this.#buffer.toString('latin1', 0, end)
      const length = end + 4 + Number(/^Content-Length: *(\d+)/im.exec(head)?.[1] ?? 0)
      if (this.#buffer.length < length) return
      const source = { address: this.#socket.remoteAddress ?? '', port: this.#socket.remotePort ?? 0 }
      const heard = new Heard(this.#buffer.subarray(0, length), source)
      this.#buffer = this.#buffer.subarray(length)
      this.heard.push(heard)
      this.#untaken.push(heard)
    }
  }
}

/** A proxy that takes connections. */
export class StreamProxy implements AsyncDisposable {
  readonly place: Place
  readonly connections: StreamPeer[] = []
  readonly #server: Server

  private constructor(server: Server, place: Place) {
    this.#server = server
    this.place = place
    server.on('connection', (socket) => void this.connections.push(new StreamPeer(socket)))
  }

  static async open(port = 0, address = '127.0.0.1'): Promise<StreamProxy> {
    const server = createServer()
    server.listen(port, address)
    await once(server, 'listening')
    const bound = server.address()
    if (bound === null || typeof bound === 'string') throw new Error('not bound')
    return new StreamProxy(server, { address, port: bound.port })
  }

  get uri(): string {
    return `sip:${this.place.address}:${this.place.port};transport=tcp`
  }

  /** The connection on which the balancer spoke first. */
  async connection(): Promise<StreamPeer> {
    return waitFor(() => this.connections.at(-1), 4000, 'a connection of the balancer')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    for (const connection of this.connections) await connection.close()
    await closed
  }
}

/** What a request of this phone says, where the test does not say otherwise. */
export function overTcp(phone: { readonly hostPort: string }, parts: RequestParts = {}): RequestParts {
  return {
    via: `SIP/2.0/TCP ${phone.hostPort};rport;branch=z9hG4bK${token()}`,
    callId: token(),
    headers: [`Contact: <sip:alice@${phone.hostPort};transport=tcp>`],
    ...parts,
  }
}

export async function dialTls(to: Place, ca: string, servername = 'lb.example.com'): Promise<StreamPeer> {
  const socket = connectTls({ host: to.address, port: to.port, ca, servername })
  await once(socket, 'secureConnect')
  return new StreamPeer(socket)
}
