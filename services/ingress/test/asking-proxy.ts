import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { Heard, responseText } from './peer.ts'

/** A proxy that answers every request at once, and says in our Via what the test wants it to ask for. */
export class AskingProxy implements AsyncDisposable {
  readonly uri: string
  /** Parameters of our Via, in the place of what we announce there. */
  asks: string | undefined
  status = 200
  headers: readonly string[] = []
  /** Requests that came, less ACKs. */
  taken: Heard[] = []
  readonly #socket: Socket

  private constructor(socket: Socket) {
    const { address, port } = socket.address()
    this.uri = `sip:${address}:${port}`
    this.#socket = socket
    socket.on('message', (bytes, { address: from, port: fromPort }) => {
      const heard = new Heard(bytes, { address: from, port: fromPort })
      if (heard.startLine.startsWith('ACK ')) return
      this.taken.push(heard)
      socket.send(Buffer.from(this.#answerTo(heard), 'latin1'), fromPort, from)
    })
  }

  static async open(): Promise<AskingProxy> {
    const socket = createSocket('udp4')
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return new AskingProxy(socket)
  }

  #answerTo(request: Heard): string {
    const text = responseText(request, this.status, { headers: this.headers })
    return this.asks === undefined ? text : text.replace(';oc;oc-algo="loss"', this.asks)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close')
    this.#socket.close()
    await closed
  }
}
