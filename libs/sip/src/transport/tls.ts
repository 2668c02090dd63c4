import { isIP } from 'node:net'
import type { Socket } from 'node:net'
import { connect, createServer } from 'node:tls'
import type { ConnectionOptions, Server, TLSSocket } from 'node:tls'
import type { TlsClient, TlsServer } from './stream.ts'

/** RFC 8996: TLS 1.0 and 1.1 are no more. */
const oldest = { minVersion: 'TLSv1.2' } as const

export interface SecuringHandlers {
  readonly onSecure: (socket: TLSSocket) => void
  readonly onFailure: (error: Error, socket: TLSSocket) => void
}

/**
 * Makes accepted sockets secure; listens nowhere itself.
 *
 * @throws the system's error when certificate or key cannot be used
 */
export function createTlsDoor(tls: TlsServer, handshakeMs: number, handlers: SecuringHandlers): Server {
  const { cert, key, ca, requestCert = false, servers = {} } = tls
  const authority = ca === undefined ? {} : { ca }
  const mutual = { requestCert, rejectUnauthorized: requestCert }
  const server = createServer({ cert, key, ...authority, ...mutual, ...oldest, handshakeTimeout: handshakeMs })
  for (const [name, own] of Object.entries(servers)) server.addContext(name, { ...own, ...authority, ...oldest })
  server.on('secureConnection', handlers.onSecure)
  server.on('tlsClientError', handlers.onFailure)
  return server
}

/** The handshake has only begun when this returns. */
export function secureClient(socket: Socket, address: string, tls: TlsClient): TLSSocket {
  const { servername, ...options } = tls
  const wanted = servername ?? address
  // RFC 6066, 3: an address is no server name; the certificate has to have it all the same.
  const name: ConnectionOptions = isIP(wanted) === 0 ? { servername: wanted } : { host: wanted }
  return connect({ socket, ...name, ...options, ...oldest })
}
