import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { connect } from 'node:net'
import { ownAddress } from '@siplb/testkit'
import type { Deed } from './cases.ts'
import { readRaw, valueOf, type RawMessage } from './raw-message.ts'
import { onMessages } from './recording-proxy.ts'

export interface Place {
  readonly address: string
  readonly port: number
}

/** Who sends the messages, and hears what is answered. */
export interface Sender extends AsyncDisposable {
  /** Sends octets in one datagram, or alone on a connection. */
  send(octets: Buffer, to: Place): Promise<void>
  /** The status of the final answer with this Call-ID. */
  answerTo(callId: string | undefined): Deed | undefined
}

/**
 * The messages ask for no `rport`, so answers go to the port in their Via, or 5060 (RFC 3261, 18.2.2): the ports that they name are
 * listened on.
 */
export async function openUdpSender(): Promise<Sender> {
  const address = ownAddress()
  const answers = new Answers()
  const sockets = [5060, 5061, 5050, 6050].map((port) => {
    const socket = createSocket('udp4')
    socket.on('message', (octets) => answers.take(octets))
    socket.bind(port, address)
    return socket
  })
  await Promise.all(sockets.map((socket) => once(socket, 'listening')))
  return {
    send: (octets, to) =>
      new Promise((resolve, reject) => {
        sockets[0]?.send(octets, to.port, to.address, (error) => (error ? reject(error) : resolve()))
      }),
    answerTo: (callId) => answers.find(callId),
    async [Symbol.asyncDispose]() {
      await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => void socket.close(() => resolve()))))
    },
  }
}

export function openTcpSender(): Sender {
  const answers = new Answers()
  const stack = new AsyncDisposableStack()
  return {
    async send(octets, to) {
      const socket = connect({ host: to.address, port: to.port })
      socket.on('error', () => undefined)
      stack.defer(() => void socket.destroy())
      onMessages(socket, (answer) => answers.take(answer))
      await once(socket, 'connect')
      socket.write(octets)
    },
    answerTo: (callId) => answers.find(callId),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  }
}

class Answers {
  readonly #heard: RawMessage[] = []

  take(octets: Buffer): void {
    this.#heard.push(readRaw(octets))
  }

  find(callId: string | undefined): number | undefined {
    const answer = this.#heard.find((one) => valueOf(one, 'call-id') === callId && statusOf(one) >= 200)
    return answer === undefined ? undefined : statusOf(answer)
  }
}

function statusOf({ startLine }: RawMessage): number {
  return Number(startLine.split(' ')[1])
}
