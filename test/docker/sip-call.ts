import { randomBytes } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'

export interface CallOutcome {
  /** Final status of the INVITE and of the BYE. */
  readonly invite: number
  readonly bye: number | undefined
  /** Who answered, by the Contact of the answer. */
  readonly callee: string | undefined
}

const T1 = 500 // RFC 3261 17.1.1.2
const GIVE_UP_MS = 8000

/**
 * A whole call over UDP by way of `port` on 127.0.0.1, the caller's outbound proxy: INVITE, ACK, BYE. The route set of
 * the dialog is sent as it was learnt, but always through the same port: behind Docker's NAT the addresses in it are those
 * of containers. ACK and BYE may go through another one, by `dialogPort`. Status 0: no final answer.
 */
export async function call(port: number, dialogPort: number = port): Promise<CallOutcome> {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  try {
    return await new Caller(socket, port, dialogPort).call()
  } finally {
    socket.close()
  }
}

class Caller {
  readonly #socket: Socket
  #port: number
  readonly #dialogPort: number
  readonly #here: string
  readonly #callId = `${id()}@test`
  readonly #from = `<sip:caller@siplb.test>;tag=${id()}`
  readonly #to = '<sip:callee@siplb.test>'

  constructor(socket: Socket, port: number, dialogPort: number) {
    this.#socket = socket
    this.#port = port
    this.#dialogPort = dialogPort
    this.#here = `127.0.0.1:${socket.address().port}`
  }

  async call(): Promise<CallOutcome> {
    const answer = await this.#transaction('INVITE', 1, 'sip:callee@siplb.test', this.#to, [])
    const invite = statusOf(answer)
    if (invite < 200 || invite > 299) return { invite, bye: undefined, callee: undefined }
    const to = valuesOf(answer, 'To')[0] ?? this.#to
    const contact = valuesOf(answer, 'Contact')[0] ?? ''
    const target = /<([^>]+)>/.exec(contact)?.[1] ?? contact
    const routes = valuesOf(answer, 'Record-Route').toReversed()
    this.#port = this.#dialogPort
    this.#send(this.#request('ACK', 1, target, to, routes, branch()))
    const bye = statusOf(await this.#transaction('BYE', 2, target, to, routes))
    return { invite, bye, callee: target }
  }

  /** Sends until there is a final answer; an INVITE is sent no more once it is being worked on. */
  async #transaction(method: string, cseq: number, uri: string, to: string, routes: string[]): Promise<string> {
    const mine = branch()
    const request = this.#request(method, cseq, uri, to, routes, mine)
    return new Promise((resolve) => {
      let timer: NodeJS.Timeout
      const end = (answer: string) => {
        clearTimeout(timer)
        clearTimeout(late)
        this.#socket.off('message', onMessage)
        resolve(answer)
      }
      const onMessage = (bytes: Buffer) => {
        const answer = bytes.toString('latin1')
        if (!valuesOf(answer, 'Via').at(-1)?.includes(mine)) return
        if (method === 'INVITE') clearTimeout(timer)
        if (statusOf(answer) >= 200) end(answer)
      }
      const send = (againMs: number) => {
        this.#send(request)
        timer = setTimeout(() => send(againMs * 2), againMs)
      }
      const late = setTimeout(() => end(''), GIVE_UP_MS)
      this.#socket.on('message', onMessage)
      send(T1)
    })
  }

  #request(method: string, cseq: number, uri: string, to: string, routes: string[], mine: string): string {
    const lines = [
      `${method} ${uri} SIP/2.0`,
      `Via: SIP/2.0/UDP ${this.#here};rport;branch=${mine}`,
      'Max-Forwards: 70',
      ...routes.map((route) => `Route: ${route}`),
      `From: ${this.#from}`,
      `To: ${to}`,
      `Call-ID: ${this.#callId}`,
      `CSeq: ${cseq} ${method}`,
      `Contact: <sip:caller@${this.#here}>`,
      'Content-Length: 0',
    ]
    return `${lines.join('\r\n')}\r\n\r\n`
  }

  #send(request: string): void {
    this.#socket.send(request, this.#port, '127.0.0.1')
  }
}

function statusOf(answer: string): number {
  return Number(/^SIP\/2\.0 (\d{3})/.exec(answer)?.[1] ?? 0)
}

/** All values of a header, in order, also those that share a line. */
function valuesOf(message: string, name: string): string[] {
  const lines = message.split('\r\n').filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
  return lines.flatMap((line) => line.slice(name.length + 1).split(/,(?=\s*<)/)).map((value) => value.trim())
}

function branch(): string {
  return `z9hG4bK${id()}`
}

function id(): string {
  return randomBytes(8).toString('hex')
}
