import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { freePort } from '@siplb/testkit'
import { readRaw, valueOf } from './raw-message.ts'

/** Keeps what comes, by UDP and TCP, and refuses every request: what matters is how it came. */
export interface RecordingProxy extends AsyncDisposable {
  readonly address: string
  readonly port: number
  /** The first message with this Call-ID. */
  find(callId: string | undefined): Buffer | undefined
}

const address = '127.0.0.1'
const copied = new Set(['via', 'from', 'to', 'call-id', 'cseq'])

export async function openRecordingProxy(): Promise<RecordingProxy> {
  const port = await freePort('udp')
  const heard: Buffer[] = []
  const take = (octets: Buffer, answer: (octets: Buffer) => void) => {
    heard.push(octets)
    const refusal = refusalOf(octets)
    if (refusal !== undefined) answer(refusal)
  }
  const udp = createSocket('udp4')
  udp.on('message', (octets, from) => take(octets, (answer) => udp.send(answer, from.port, from.address)))
  udp.bind(port, address)
  await once(udp, 'listening')
  const connections = new Set<Socket>()
  const tcp = createServer((socket) => {
    connections.add(socket)
    socket.on('error', () => undefined)
    onMessages(socket, (octets) => take(octets, (answer) => socket.write(answer)))
  })
  tcp.listen(port, address)
  await once(tcp, 'listening')
  return {
    address,
    port,
    find: (callId) => heard.find((octets) => valueOf(readRaw(octets), 'call-id') === callId),
    async [Symbol.asyncDispose]() {
      udp.close()
      for (const socket of connections) socket.destroy()
      tcp.close()
      await once(tcp, 'close')
    },
  }
}

/** Undefined for a response and for an ACK. */
function refusalOf(octets: Buffer): Buffer | undefined {
  const { startLine, fields } = readRaw(octets)
  if (startLine.startsWith('SIP/2.0 ') || startLine.startsWith('ACK ')) return undefined
  const lines = fields.filter(({ name }) => copied.has(name)).map(({ text }) => text)
  return Buffer.from(['SIP/2.0 486 Heard', ...lines, 'Content-Length: 0', '', ''].join('\r\n'), 'latin1')
}

/** Cuts a stream into its messages. */
export function onMessages(socket: Socket, take: (octets: Buffer) => void): void {
  let waiting = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    waiting = Buffer.concat([waiting, chunk])
    for (;;) {
      const end = waiting.indexOf('\r\n\r\n')
      if (end < 0) return
      const length = end + 4 + Number.parseInt(valueOf(readRaw(waiting), 'content-length') ?? '0', 10)
      if (waiting.length < length) return
      take(waiting.subarray(0, length))
      waiting = waiting.subarray(length)
    }
  })
}
