import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { Heard, responseText } from '../../../services/ingress/test/peer.ts'

/** A proxy that takes the calls that are meant well, refuses all others, and keeps what it heard. */
export class Callee implements AsyncDisposable {
  /** INVITEs by Call-ID. */
  readonly invites = new Map<string, Heard>()
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.on('message', (bytes, source) => this.#take(new Heard(bytes, source)))
  }

  static async open(): Promise<Callee> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4_000_000 })
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return new Callee(socket)
  }

  get uri(): string {
    return `sip:127.0.0.1:${this.#socket.address().port}`
  }

  #take(heard: Heard): void {
    const [method] = heard.startLine.split(' ')
    if (method === 'ACK' || heard.status > 0) return
    if (method === 'INVITE') this.invites.set(heard.one('Call-ID'), heard)
    const isWell = method !== 'INVITE' || heard.one('Call-ID').startsWith('well-')
    const headers = [`Contact: <${this.uri}>`]
    const text = responseText(heard, isWell ? 200 : 486, { headers })
    this.#socket.send(Buffer.from(text, 'latin1'), heard.source.port, heard.source.address)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close')
    this.#socket.close()
    await closed
  }
}
