import { createSocket, type RemoteInfo } from 'node:dgram'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { decode, encode, type DnsPacket } from 'dns-packet'

/** What it says to a question by UDP; several datagrams, or none. */
export type Say = (asked: DnsPacket) => readonly Buffer[]

export interface OddNameServer extends AsyncDisposable {
  readonly server: { readonly address: string; readonly port: number }
  /** How often it was asked, by UDP and by TCP. */
  readonly asked: { udp: number; tcp: number }
}

/** A name server for what real ones do not do when told to: garbage, forgeries, cut off answers. */
export async function startOddNameServer(byUdp: Say, byTcp: Say = () => []): Promise<OddNameServer> {
  const asked = { udp: 0, tcp: 0 }
  const udp = createSocket('udp4')
  udp.on('message', (bytes: Buffer, from: RemoteInfo) => {
    asked.udp++
    for (const said of byUdp(decode(bytes))) udp.send(said, from.port, from.address)
  })
  udp.bind(0, '127.0.0.1')
  await once(udp, 'listening')
  const { port } = udp.address()
  const open = new Set<Socket>()
  const tcp = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => {})
    socket.on('data', (bytes: Buffer) => {
      asked.tcp++
      for (const said of byTcp(decode(bytes.subarray(2)))) socket.write(said)
    })
  })
  tcp.listen(port, '127.0.0.1')
  await once(tcp, 'listening')
  return {
    server: { address: '127.0.0.1', port },
    asked,
    async [Symbol.asyncDispose]() {
      udp.close()
      for (const socket of open) socket.destroy()
      tcp.close()
      await once(tcp, 'close')
    },
  }
}

/** A reply to what was asked. */
export function replyTo(asked: DnsPacket, rest: DnsPacket = {}): Buffer {
  return encode({ id: asked.id ?? 0, type: 'response', questions: asked.questions ?? [], ...rest })
}

export function withLength(message: Buffer): Buffer {
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  return Buffer.concat([length, message])
}
