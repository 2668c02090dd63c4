/** One end of a flow. */
export interface Endpoint {
  readonly transport: 'udp'
  /** Numeric; IPv6 without brackets. */
  readonly address: string
  readonly port: number
}

/** Where a message came from and the way back there: for UDP, the socket that received it (RFC 3581, 4). */
export interface Flow {
  readonly transport: 'udp'
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly isReliable: boolean
  /** Never throws; failures are reported to the socket's owner. */
  send(bytes: Buffer): void
}

export interface Packet {
  readonly bytes: Buffer
  readonly flow: Flow
  /** `performance.now()` when the socket handed it over. */
  readonly receivedAt: number
}

/** A failure of a socket, for a counter and, at its first occurrence, for the log. */
export interface SocketProblem {
  /** As the system names it: `EMSGSIZE`, `EPERM`, … */
  readonly code: string
  readonly message: string
  /** To whom it was sent, where that is known. */
  readonly remote: Endpoint | undefined
}
