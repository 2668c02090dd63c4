import type { Socket } from 'node:net'
import type { Endpoint, Transport } from './flow.ts'

export interface Ends {
  readonly transport: Transport
  readonly local: Endpoint
  readonly remote: Endpoint
}

/** SIP's messages are small and answered at once, so nothing waits for more to send (Nagle); dead peers are noticed. */
export const socketOptions = {
  noDelay: true,
  keepAlive: true,
  keepAliveInitialDelay: 60_000,
  allowHalfOpen: true,
} as const

/** Undefined when the connection is gone already. */
export function endsOf(socket: Socket, transport: Transport): Ends | undefined {
  const { localAddress, localPort, remoteAddress, remotePort } = socket
  if (localAddress === undefined || localPort === undefined) return undefined
  if (remoteAddress === undefined || remotePort === undefined) return undefined
  const local = { transport, address: localAddress, port: localPort }
  return { transport, local, remote: { transport, address: remoteAddress, port: remotePort } }
}
