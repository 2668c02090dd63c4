export type Transport = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss'

/** One end of a flow. */
export interface Endpoint {
  readonly transport: Transport
  /** Numeric; IPv6 without brackets. */
  readonly address: string
  readonly port: number
  /**
   * Which of the connections from there, one after the other: behind a NAT the next one may be somebody else's (RFC 5626, 5.2).
   * Undefined for UDP, for a listening place, and where any will do.
   */
  readonly connection?: string
}
