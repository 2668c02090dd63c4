export type Transport = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss'

/** One end of a flow. */
export interface Endpoint {
  readonly transport: Transport
  /** Numeric; IPv6 without brackets. */
  readonly address: string
  readonly port: number
}
