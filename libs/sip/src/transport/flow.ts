import type { Endpoint, Transport } from '../endpoint.ts'
import type { FramingProblem } from '../framing/message-length.ts'

export type { Endpoint, Transport } from '../endpoint.ts'

/**
 * Where a message came from and the way back there: for UDP, the socket that received it (RFC 3581, 4), else the
 * connection (RFC 3261, 18.2.2).
 */
export interface Flow {
  readonly transport: Transport
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly isReliable: boolean
  /** False once a connection is closed or half closed; a UDP flow is open for ever. */
  readonly isOpen: boolean
  /** Never throws. What cannot be sent is reported to the owner. */
  send(bytes: Buffer): void
}

export interface Packet {
  readonly bytes: Buffer
  readonly flow: Flow
  /** `performance.now()` when the socket handed it over. */
  readonly receivedAt: number
  /**
   * The end of this message in its stream cannot be told: it is cut short, may look whole, and is to be answered with
   * 400 at once. Its connection takes nothing more and is closed after it.
   */
  readonly framing?: FramingProblem
}

/** A failure of a socket, for a counter and, at its first occurrence, for the log. */
export interface SocketProblem {
  /** Constant text: as the system names it (`EMSGSIZE`, `EPERM`, …), or in small letters a reason of our own. */
  readonly code: string
  readonly message: string
  /** To whom it was sent, where that is known. */
  readonly remote: Endpoint | undefined
}
