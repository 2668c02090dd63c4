/** Bounds that are checked before anything else looks at a message. All in octets or plain counts. */
export interface Limits {
  /** One datagram; 65 507 is the most UDP over IPv4 can carry. */
  readonly datagram: number
  /** The start line or one header line, folding included. */
  readonly headerLine: number
  readonly headerLines: number
  /** Whitespace in a row inside a header: quadratic parsers behind us die of long runs. */
  readonly whitespaceRun: number
}

export const defaultLimits: Limits = { datagram: 16_384, headerLine: 4_096, headerLines: 128, whitespaceRun: 16 }
