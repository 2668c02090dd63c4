import { createSocket, type RemoteInfo } from 'node:dgram'
import { buildResponse, scan, type SipRequest } from '@siplb/sip'

export interface Asked {
  readonly request: SipRequest
  readonly from: RemoteInfo
  readonly at: number
  /** With the given status and headers, from the proxy's own address. */
  readonly answer: (status?: number, headers?: readonly (readonly [string, string])[], body?: string) => void
  readonly send: (bytes: Buffer) => void
}

/** A proxy on a UDP port of its own, which does with each request what the test says. */
export interface UdpProxy extends AsyncDisposable {
  readonly port: number
  readonly uri: string
  readonly asked: readonly Asked[]
  sendTo(bytes: Buffer, to: RemoteInfo): void
  readonly close: () => Promise<void>
}

export async function startUdpProxy(
  behave: (asked: Asked) => void = ({ answer }) => answer(),
  { address = '127.0.0.1', port = 0 } = {},
): Promise<UdpProxy> {
  // Node looks up even numeric addresses; without that a datagram leaves at once.
  const socket = createSocket({ type: 'udp4', lookup: (host, _, done) => done(null, host, 4) })
  let isClosed = false
  const sendTo = (bytes: Buffer, to: RemoteInfo) => {
    if (!isClosed) socket.send(bytes, to.port, to.address)
  }
  const asked: Asked[] = []
  socket.on('message', (bytes, from) => {
    const request = scan(bytes)
    if (request.kind !== 'request') throw new Error(`the proxy got something ${request.kind}`)
    const send = (answer: Buffer) => sendTo(answer, from)
    const one: Asked = {
      request,
      from,
      at: performance.now(),
      send,
      answer: (status = 200, extraHeaders = [], body = '') =>
        send(buildResponse(request, { status, extraHeaders, body: Buffer.from(body) })),
    }
    asked.push(one)
    behave(one)
  })
  await new Promise<void>((resolve) => socket.bind(port, address, resolve))
  const close = async () => {
    if (isClosed) return
    isClosed = true
    await new Promise<void>((resolve) => socket.close(() => resolve()))
  }
  const { port: bound } = socket.address()
  return { port: bound, uri: `sip:${address}:${bound}`, asked, sendTo, close, [Symbol.asyncDispose]: close }
}

/** A port where nobody listens. */
export async function closedPort(): Promise<number> {
  const { port, close } = await startUdpProxy()
  await close()
  return port
}
