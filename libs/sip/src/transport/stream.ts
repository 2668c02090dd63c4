import { defaultLimits } from '../message/limits.ts'
import type { Limits } from '../message/limits.ts'
import type { Endpoint, Flow, Packet, SocketProblem } from './flow.ts'

/** What may wait for a peer that reads slowly; more, and it does not read at all. */
export const BACKLOG = 1024 * 1024
/** For what waits to go out, and for the other side to close as well. */
export const CLOSE_MS = 500

/** One connection, dialled by us or accepted. It is the flow of all that comes by it. */
export interface StreamConnection extends Flow {
  /** Sends what waits and ends; after 500 ms it is destroyed. */
  close(): Promise<void>
  destroy(): void
}

export interface StreamHandlers {
  onPacket(packet: Packet): void
  /** Once, however it ended; nothing comes by it any more. Without a problem one of the sides closed it in order. */
  onClosed(connection: StreamConnection, problem: SocketProblem | undefined): void
  /** To be counted: what was refused or could not be sent. What ended a connection is told by `onClosed` alone. */
  onProblem(problem: SocketProblem): void
}

export interface StreamLimits {
  /** Connections of one listener, those in their handshake included; who is exempt is not counted. */
  readonly connections: number
  /** IPv4 address, or /64 of IPv6. */
  readonly perAddress: number
  /** From the first octet of a message to the end of its body; also for the handshake of TLS and WebSocket. */
  readonly headerDeadlineMs: number
  /** Octets of one message, and so of what a connection holds. */
  readonly buffered: number
  /** A connection without any octet for so long is closed; 0: never. */
  readonly idleMs: number
  readonly message: Limits
}

export const defaultStreamLimits: StreamLimits = {
  connections: 2_048,
  perAddress: 64,
  headerDeadlineMs: 5_000,
  buffered: 32_768,
  idleMs: 15 * 60_000,
  message: defaultLimits,
}

export interface StreamListener {
  readonly local: Endpoint
  /** Connections, those in their handshake included. */
  readonly size: number
  /** The open connection from there, if there is one, and is the one that is named. */
  connectionTo(remote: Omit<Endpoint, 'transport'>): StreamConnection | undefined
  /**
   * New connections get this; those there are go on.
   *
   * @throws the system's error when certificate or key cannot be used; the earlier ones stay
   */
  setTls(tls: TlsServer): void
  /** Takes no new connection and closes those there are. */
  close(): Promise<void>
}

export interface Certificate {
  readonly cert: string | Buffer
  readonly key: string | Buffer
}

export interface TlsServer extends Certificate {
  /** Who may sign certificates of clients. */
  readonly ca?: string | Buffer
  /** Mutual TLS: a client without a certificate signed by `ca` is refused. */
  readonly requestCert?: boolean
  /** By the host name that the client asks for (SNI); `*.example.com` stands for one label. */
  readonly servers?: Readonly<Record<string, Certificate>>
}

export interface TlsClient {
  /** The name that the certificate must have; default: the numeric address of the remote. */
  readonly servername?: string
  /** Default: the authorities that Node brings along. */
  readonly ca?: string | Buffer
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  /** Default true. */
  readonly rejectUnauthorized?: boolean
}
