import { connect } from 'node:net'
import type { Socket } from 'node:net'
import type { Endpoint } from './flow.ts'
import { SocketConnection } from './socket-connection.ts'
import { endsOf, socketOptions } from './socket-ends.ts'
import { defaultStreamLimits } from './stream.ts'
import type { StreamConnection, StreamHandlers, StreamLimits, TlsClient } from './stream.ts'
import { secureClient } from './tls.ts'

export interface ConnectStream {
  /** TCP or TLS, numeric. */
  readonly remote: Endpoint
  /** Numeric; default: what the system chooses for this remote. */
  readonly localAddress?: string
  /** Default 4000, the TLS handshake included. */
  readonly connectMs?: number
  readonly tls?: TlsClient
  readonly limits?: Partial<StreamLimits>
}

/**
 * A connection of ours.
 *
 * @throws the system's error when it cannot be made; `ETIMEDOUT` when not in time
 */
export async function connectStream(options: ConnectStream, handlers: StreamHandlers): Promise<StreamConnection> {
  const { remote, connectMs = 4_000 } = options
  if (remote.transport !== 'tcp' && remote.transport !== 'tls') throw codedError('ERR_INVALID_ARG_VALUE', undialled)
  const raw = dial(options)
  const isSecure = remote.transport === 'tls'
  const socket = isSecure ? secureClient(raw, remote.address, options.tls ?? {}) : raw
  await ready(socket, isSecure ? 'secureConnect' : 'connect', connectMs)
  const ends = endsOf(socket, remote.transport)
  if (ends === undefined) throw codedError('ECONNRESET', 'the connection was lost as soon as it was made')
  return new SocketConnection(socket, ends, { ...defaultStreamLimits, ...options.limits }, handlers)
}

const undialled = 'connections are made by tcp and tls; clients of ws and wss come to us'

function dial({ remote, localAddress }: ConnectStream): Socket {
  const local = localAddress === undefined ? {} : { localAddress }
  return connect({ host: remote.address, port: remote.port, ...local, ...socketOptions })
}

/** Resolves at this event; destroys the socket and rejects at an error or after `withinMs`. */
function ready(socket: Socket, event: 'connect' | 'secureConnect', withinMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const onLate = (): void => onError(codedError('ETIMEDOUT', `no connection within ${withinMs} ms`))
    const timer = setTimeout(onLate, withinMs)
    const onError = (error: Error): void => {
      clearTimeout(timer)
      socket.on('error', () => undefined) // the first one is told
      socket.destroy()
      reject(error)
    }
    socket.once('error', onError)
    socket.once(event, () => {
      clearTimeout(timer)
      socket.off('error', onError)
      resolve()
    })
  })
}

function codedError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code })
}
