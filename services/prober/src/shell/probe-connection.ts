import {
  connectStream,
  connectUdp,
  type Flow,
  type Packet,
  type Place,
  type SocketProblem,
  type TlsClient,
} from '@siplb/sip/transport'

/** A probe and its answer are small, and there may be a thousand sockets. */
const RECEIVE_BUFFER = 64 * 1024
/** The TLS handshake included. */
const CONNECT_MS = 2000

export interface ConnectionHandlers {
  onPacket(packet: Packet): void
  /** Nobody listens there any more (ICMP). */
  onRefused(problem: SocketProblem): void
  /** A connection ended, and what was asked by it will not be answered. */
  onClosed(connection: ProbeConnection, problem: SocketProblem | undefined): void
  onProblem(problem: SocketProblem): void
}

export interface ProbeConnection extends Flow {
  close(): Promise<void>
}

/** A way to one place that hears nobody else: a connected socket, or a connection. @throws as connectUdp and connectStream do */
export function connectProbe(
  remote: Place,
  tls: () => TlsClient,
  handlers: ConnectionHandlers,
): Promise<ProbeConnection> {
  if (remote.transport === 'udp') {
    return connectUdp(
      { remote, receiveBuffer: RECEIVE_BUFFER },
      { ...handlers, onError: (problem) => handlers.onProblem(problem) },
    )
  }
  const secured = remote.transport === 'tls' ? { tls: tls() } : {}
  return connectStream({ remote, connectMs: CONNECT_MS, ...secured }, handlers)
}
