import { buildResponse, scan, type SipRequest } from '@siplb/sip'
import { listenStream, type StreamConnection, type TlsServer } from '@siplb/sip/transport'

export interface StreamAsked {
  readonly request: SipRequest
  readonly connection: StreamConnection
  readonly answer: (status?: number, headers?: readonly (readonly [string, string])[]) => void
}

/** A proxy on a TCP or TLS port of its own, which does with each request what the test says. */
export interface StreamProxy extends AsyncDisposable {
  readonly port: number
  readonly asked: readonly StreamAsked[]
  /** Connections that were made to it, closed ones too. */
  readonly connections: readonly StreamConnection[]
  readonly close: () => Promise<void>
}

export async function startStreamProxy(
  options: { readonly tls?: TlsServer; readonly port?: number } = {},
  behave: (asked: StreamAsked) => void = ({ answer }) => answer(),
): Promise<StreamProxy> {
  const asked: StreamAsked[] = []
  const connections: StreamConnection[] = []
  const { tls, port = 0 } = options
  const secured = tls === undefined ? { transport: 'tcp' as const } : { transport: 'tls' as const, tls }
  const listener = await listenStream(
    { ...secured, address: '127.0.0.1', port },
    {
      onOpen: (connection) => void connections.push(connection),
      onPacket: ({ bytes, flow }) => {
        const request = scan(bytes)
        if (request.kind !== 'request') throw new Error(`the proxy got something ${request.kind}`)
        const answer: StreamAsked['answer'] = (status = 200, extraHeaders = []) =>
          flow.send(buildResponse(request, { status, extraHeaders, toTag: 'px' }))
        const one = { request, connection: flow as StreamConnection, answer }
        asked.push(one)
        behave(one)
      },
      onClosed: () => {},
      onProblem: () => {},
    },
  )
  let closing: Promise<void> | undefined
  const close = () => (closing ??= listener.close())
  return { port: listener.local.port, asked, connections, close, [Symbol.asyncDispose]: close }
}
