import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { waitFor } from '@siplb/testkit'

export interface Place {
  readonly address: string
  readonly port: number
}

/** A SIP message as it came over the wire; read by lines, with no code of the balancer's. */
export class Heard {
  readonly bytes: Buffer
  readonly source: Place
  readonly at = performance.now()
  readonly startLine: string
  readonly lines: readonly string[]
  readonly body: string

  constructor(bytes: Buffer, source: Place) {
    this.bytes = bytes
    this.source = { address: source.address, port: source.port }
    const text = bytes.toString('latin1')
    const end = text.indexOf('\r\n\r\n')
    const [startLine = '', ...lines] = text.slice(0, end).split('\r\n')
    this.startLine = startLine
    this.lines = lines
    this.body = text.slice(end + 4)
  }

  /** Values of all lines of this name, in order. */
  all(name: string): string[] {
    const start = `${name.toLowerCase()}:`
    return this.lines
      .filter((line) => line.toLowerCase().startsWith(start))
      .map((line) => line.slice(start.length).trim())
  }

  /** Value of the first line of this name. */
  one(name: string): string {
    return this.all(name)[0] ?? ''
  }

  get status(): number {
    return this.startLine.startsWith('SIP/2.0 ') ? Number(this.startLine.slice(8, 11)) : 0
  }

  get requestUri(): string {
    return this.startLine.split(' ')[1] ?? ''
  }

  get branch(): string {
    return /;branch=([^;,\s]+)/.exec(this.one('Via'))?.[1] ?? ''
  }

  get toTag(): string | undefined {
    return /;tag=([^;\s]+)/.exec(this.one('To'))?.[1]
  }
}

/** A method or status. */
export type Wanted = string | number

function fits(heard: Heard, wanted: Wanted): boolean {
  return typeof wanted === 'number' ? heard.status === wanted : heard.startLine.startsWith(`${wanted} `)
}

export interface AnswerParts {
  readonly tag?: string
  /** Whole lines. */
  readonly headers?: readonly string[]
  readonly body?: string
}

/** A UDP socket that says exactly what the test wants, and keeps what it hears. */
export class Peer implements AsyncDisposable {
  readonly place: Place
  /** All that ever came. */
  readonly heard: Heard[] = []
  readonly #untaken: Heard[] = []
  readonly #socket: Socket
  #isOpen = true

  private constructor(socket: Socket) {
    const { address, port } = socket.address()
    this.#socket = socket
    this.place = { address, port }
    socket.on('message', (bytes, source) => {
      const heard = new Heard(bytes, source)
      this.heard.push(heard)
      this.#untaken.push(heard)
    })
  }

  static async open(address = '127.0.0.1', port = 0): Promise<Peer> {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4')
    socket.bind(port, address)
    await once(socket, 'listening')
    return new Peer(socket)
  }

  get hostPort(): string {
    const { address, port } = this.place
    return isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`
  }

  get uri(): string {
    return `sip:${this.hostPort}`
  }

  send(message: Buffer | string, to: Place): void {
    const bytes = typeof message === 'string' ? Buffer.from(message, 'latin1') : message
    if (this.#isOpen) this.#socket.send(bytes, to.port, to.address)
  }

  /** The next message of this kind that was not taken yet; waits for it. */
  async next(wanted: Wanted, timeoutMs = 8000): Promise<Heard> {
    const take = () => {
      const at = this.#untaken.findIndex((heard) => fits(heard, wanted))
      return at < 0 ? undefined : this.#untaken.splice(at, 1)[0]
    }
    return waitFor(
      take,
      timeoutMs,
      () => `${wanted} at ${this.hostPort}; heard: ${this.heard.map((h) => h.startLine).join(', ')}`,
    )
  }

  /** `next` will find none of this kind that came so far. */
  forget(wanted: Wanted): void {
    for (let i = this.#untaken.length - 1; i >= 0; i--) {
      const heard = this.#untaken[i]
      if (heard !== undefined && fits(heard, wanted)) this.#untaken.splice(i, 1)
    }
  }

  /** Whether `next` would find one at once. */
  hasHeard(wanted: Wanted): boolean {
    return this.#untaken.some((heard) => fits(heard, wanted))
  }

  /** How many of this kind came so far. */
  count(wanted: Wanted): number {
    return this.heard.filter((heard) => fits(heard, wanted)).length
  }

  /** The same, copies of one and the same not counted. */
  countNew(wanted: Wanted): number {
    return new Set(this.heard.filter((heard) => fits(heard, wanted)).map(({ branch }) => branch)).size
  }

  /** Answers as a callee does (RFC 3261, 8.2.6), to where the request came from. */
  answer(request: Heard, status: number, parts: AnswerParts = {}): void {
    this.send(responseText(request, status, parts), request.source)
  }

  async close(): Promise<void> {
    if (!this.#isOpen) return
    this.#isOpen = false
    const closed = once(this.#socket, 'close')
    this.#socket.close()
    await closed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

export function responseText(request: Heard, status: number, parts: AnswerParts = {}): string {
  const { tag = 'callee', headers = [], body = '' } = parts
  const to = request.one('To')
  const isTagged = status === 100 || request.toTag !== undefined
  return [
    `SIP/2.0 ${status} Whatever`,
    ...request.all('Via').map((via) => `Via: ${via}`),
    ...(status > 100 && status < 300 ? request.all('Record-Route').map((route) => `Record-Route: ${route}`) : []),
    `From: ${request.one('From')}`,
    `To: ${to}${isTagged ? '' : `;tag=${tag}`}`,
    `Call-ID: ${request.one('Call-ID')}`,
    `CSeq: ${request.one('CSeq')}`,
    ...headers,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n')
}
