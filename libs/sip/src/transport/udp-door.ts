import type { Endpoint, Flow, Packet, SocketProblem } from './flow.ts'

export interface ListenUdp {
  /** Numeric. */
  readonly address: string
  /** 0 lets the system choose. */
  readonly port: number
  /** Share the port with other processes: the system gives all datagrams of one source to one of them. */
  readonly reusePort?: boolean
  /** Octets; default 4 MB. */
  readonly receiveBuffer?: number
}

export interface ListenHandlers {
  readonly onPacket: (packet: Packet) => void
  readonly onError: (problem: SocketProblem) => void
}

export interface UdpListener {
  readonly local: Endpoint
  /** Never throws; failures go to `onError`. */
  sendTo(remote: Endpoint, bytes: Buffer): void
  close(): Promise<void>
}

export interface ConnectUdp {
  readonly remote: { readonly address: string; readonly port: number }
  /** Numeric; default: what the system chooses for this remote. */
  readonly localAddress?: string
  readonly receiveBuffer?: number
}

export interface ConnectionHandlers extends ListenHandlers {
  /** The other side said that nobody is there (ICMP): `ECONNREFUSED`, `EHOSTUNREACH`, `ENETUNREACH`. */
  readonly onRefused: (problem: SocketProblem) => void
}

/** A socket for one remote: the only kind that hears of refusals, and that hears nobody else. */
export interface UdpConnection extends Flow {
  close(): Promise<void>
}

/** A way to the system's datagrams. Under load both gather what comes for a millisecond. */
export interface UdpDoor {
  readonly name: 'dgram' | 'native'
  /**
   * A socket that receives from everybody.
   *
   * @throws the system's error (`EADDRINUSE`, `EACCES`, …) when it cannot be bound
   */
  listen(options: ListenUdp, handlers: ListenHandlers): Promise<UdpListener>
  /** @throws the system's error when the socket cannot be bound or connected */
  connect(options: ConnectUdp, handlers: ConnectionHandlers): Promise<UdpConnection>
}
