import type { CSeq } from '../header/cseq.ts'
import type { NameAddr } from '../header/name-addr.ts'
import type { RouteValue } from '../header/route.ts'
import type { Uri } from '../header/uri.ts'
import type { Via } from '../header/via.ts'
import type { HeaderId } from './header-id.ts'

/** One header line as offsets. */
export interface HeaderLine {
  readonly id: HeaderId
  readonly start: number
  readonly nameEnd: number
  /** The value without whitespace around it. */
  readonly valueStart: number
  readonly valueEnd: number
  /** Behind the CRLF; folded lines included. */
  readonly end: number
}

/**
 * A message that passed the checks at the door. Text is latin1: one character per octet, so that what is written back
 * is what came in.
 */
export interface Message {
  /** Trimmed to Content-Length: octets behind it are not part of the message (RFC 3261, 18.3). */
  readonly bytes: Buffer
  /** All header lines in order. */
  readonly lines: readonly HeaderLine[]
  /** Offset of the empty line. */
  readonly headersEnd: number
  readonly bodyStart: number
  readonly topVia: Via
  /** Values, not lines. */
  readonly viaCount: number
  readonly callId: string
  readonly cseq: CSeq
  readonly from: NameAddr
  readonly to: NameAddr
  /** First line of this header. */
  line(id: HeaderId): HeaderLine | undefined
  /** Values of all lines of this header, comma lists taken apart, folds undone. */
  values(id: HeaderId): string[]
  /** First value, or undefined when the header is absent. */
  first(id: HeaderId): string | undefined
}

export interface SipRequest extends Message {
  readonly kind: 'request'
  readonly method: string
  readonly requestUri: string
  readonly requestUriStart: number
  readonly requestUriEnd: number
  /** The Request-URI in pieces. */
  readonly uri: Uri
  readonly maxForwards: number | undefined
  /** All values of Route, in order. */
  readonly routes: readonly RouteValue[]
}

export interface SipResponse extends Message {
  readonly kind: 'response'
  readonly status: number
  readonly reason: string
}

/** What is needed of a request to answer it (RFC 3261, 8.2.6); a malformed one may still have it. */
export interface Answerable {
  readonly bytes: Buffer
  readonly lines: readonly HeaderLine[]
  readonly method: string
  readonly topVia: Via
  /** Undefined when the value breaks the grammar and can only be sent back as it came. */
  readonly to: NameAddr | undefined
}

export interface Malformed {
  readonly kind: 'malformed'
  readonly isRequest: boolean
  /** Constant text that can label a counter. */
  readonly problem: Problem
  /** The answer that fits a request. */
  readonly status: number
  /** False for responses, for ACK, and where too little is there to build an answer from. */
  readonly answerable: boolean
  /** Present exactly when answerable. */
  readonly message?: Answerable
}

/** An empty datagram, or one of whitespace and NUL only: keeps a NAT open and means nothing. */
export interface KeepAlive {
  readonly kind: 'keep-alive'
}

export type Scanned = SipRequest | SipResponse | Malformed | KeepAlive

export const problemStatus = {
  'datagram-size': 513,
  'start-line': 400,
  'start-line-size': 414,
  version: 505,
  'status-code': 400,
  'request-uri': 400,
  scheme: 416,
  'header-line': 400,
  'header-size': 400,
  'header-count': 400,
  'whitespace-run': 400,
  'line-end': 400,
  'no-end-of-headers': 400,
  'repeated-header': 400,
  via: 400,
  from: 400,
  to: 400,
  'call-id': 400,
  cseq: 400,
  'cseq-method': 400,
  'max-forwards': 400,
  'content-length': 400,
  route: 400,
} as const

export type Problem = keyof typeof problemStatus
