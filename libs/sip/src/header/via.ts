import {
  BRACKET,
  COLON,
  SLASH,
  equalsIgnoringCase,
  isDigit,
  isWhitespace,
  lowerTextOf,
  readDecimal,
  skipBracketed,
  skipHost,
  skipToken,
  skipWhitespace,
  textOf,
  trimEnd,
} from '../message/octets.ts'
import { paramsOf, type ParamCursor } from './param-cursor.ts'

/** One Via value (RFC 3261, 20.42), as offsets into the message; text is made when asked for. */
export class Via {
  readonly bytes: Buffer
  /** The value without whitespace around it. */
  readonly start: number
  end = 0
  /** Where the next value of the same line starts, or -1. */
  nextStart = -1
  /** Whether another Via value follows, in this line or in a later one. */
  hasMore = false
  transportStart = 0
  transportEnd = 0
  hostStart = 0
  hostEnd = 0
  port: number | undefined = undefined
  paramsStart = 0
  branchStart = -1
  branchEnd = -1
  receivedStart = -1
  receivedEnd = -1
  /** Behind the name `rport`; -1 when the parameter is absent. */
  rportNameEnd = -1
  rportValueStart = -1
  rportValueEnd = -1
  #host: string | undefined = undefined
  #branch: string | undefined = undefined

  constructor(bytes: Buffer, start: number) {
    this.bytes = bytes
    this.start = start
  }

  /** In capitals: `UDP`, `TCP`, … */
  get transport(): string {
    if (equalsIgnoringCase(this.bytes, this.transportStart, this.transportEnd, 'udp')) return 'UDP'
    return textOf(this.bytes, this.transportStart, this.transportEnd).toUpperCase()
  }

  /** Sent-by host in lower case, IPv6 in brackets. */
  get host(): string {
    this.#host ??= lowerTextOf(this.bytes, this.hostStart, this.hostEnd)
    return this.#host
  }

  /** `host` or `host:port`, in lower case. */
  get sentBy(): string {
    return this.port === undefined ? this.host : `${this.host}:${this.port}`
  }

  get branch(): string | undefined {
    if (this.branchStart < 0) return undefined
    this.#branch ??= textOf(this.bytes, this.branchStart, this.branchEnd)
    return this.#branch
  }

  /** Without the brackets that some put around IPv6 (RFC 5118, 4.5 asks to take both forms). */
  get received(): string | undefined {
    if (this.receivedStart < 0) return undefined
    const isBracketed = this.bytes[this.receivedStart] === BRACKET
    return textOf(this.bytes, this.receivedStart + (isBracketed ? 1 : 0), this.receivedEnd - (isBracketed ? 1 : 0))
  }

  /** `''` where the caller asks for it (RFC 3581), a number where it was filled in. */
  get rport(): '' | number | undefined {
    if (this.rportNameEnd < 0) return undefined
    if (this.rportValueStart < 0) return ''
    return readDecimal(this.bytes, this.rportValueStart, this.rportValueEnd, 65_535)
  }

  /** Value of any parameter, `''` when it has none. `name` in lower case. */
  param(name: string): string | undefined {
    const cursor = paramsOf(this.bytes, this.paramsStart, this.end)
    while (cursor.next()) {
      if (cursor.isNamed(name))
        return cursor.valueStart < 0 ? '' : textOf(this.bytes, cursor.valueStart, cursor.valueEnd)
    }
    return undefined
  }
}

/** The first Via value of [start, end), or undefined when it is not one. */
export function parseVia(bytes: Buffer, start: number, end: number): Via | undefined {
  const via = new Via(bytes, skipWhitespace(bytes, start, end))
  const afterProtocol = readProtocol(via, end)
  if (afterProtocol < 0) return undefined
  const afterSentBy = readSentBy(via, afterProtocol, end)
  if (afterSentBy < 0) return undefined
  return readParams(via, afterSentBy, end)
}

// sent-protocol = name SLASH version SLASH transport, whitespace allowed around the slashes. Name and version are not
// ours to judge: a 505 has to go back along a Via of another version.
function readProtocol(via: Via, end: number): number {
  const { bytes } = via
  let at = via.start
  for (let part = 0; part < 2; part++) {
    const stop = skipToken(bytes, at, end)
    if (stop === at) return -1
    at = skipWhitespace(bytes, stop, end)
    if (at >= end || bytes[at] !== SLASH) return -1
    at = skipWhitespace(bytes, at + 1, end)
  }
  via.transportStart = at
  via.transportEnd = skipToken(bytes, at, end)
  if (via.transportEnd === at || via.transportEnd >= end || !isWhitespace(bytes[via.transportEnd])) return -1
  return skipWhitespace(bytes, via.transportEnd, end)
}

function readSentBy(via: Via, at: number, end: number): number {
  const { bytes } = via
  via.hostStart = at
  via.hostEnd = bytes[at] === BRACKET && at < end ? skipBracketed(bytes, at, end) : skipHost(bytes, at, end)
  if (via.hostEnd <= at) return -1
  const colon = skipWhitespace(bytes, via.hostEnd, end)
  if (colon >= end || bytes[colon] !== COLON) return via.hostEnd
  const portStart = skipWhitespace(bytes, colon + 1, end)
  let portEnd = portStart
  while (portEnd < end && isDigit(bytes[portEnd])) portEnd++
  const port = readDecimal(bytes, portStart, portEnd, 65_535)
  if (port <= 0) return -1
  via.port = port
  return portEnd
}

function readParams(via: Via, at: number, end: number): Via | undefined {
  const { bytes } = via
  via.paramsStart = at
  const cursor = paramsOf(bytes, at, end)
  while (cursor.next()) if (!takeParam(via, cursor)) return undefined
  if (cursor.isBroken) return undefined
  via.end = trimEnd(bytes, via.start, cursor.at)
  if (cursor.at >= end) return via
  via.nextStart = skipWhitespace(bytes, cursor.at + 1, end)
  via.hasMore = true
  return via.nextStart < end ? via : undefined
}

// A parameter of ours given twice could be read in two ways by two elements: refused.
function takeParam(via: Via, cursor: ParamCursor): boolean {
  if (cursor.isNamed('branch')) {
    if (via.branchStart >= 0 || cursor.valueStart < 0) return false
    via.branchStart = cursor.valueStart
    via.branchEnd = cursor.valueEnd
  } else if (cursor.isNamed('received')) {
    if (via.receivedStart >= 0 || cursor.valueStart < 0) return false
    via.receivedStart = cursor.valueStart
    via.receivedEnd = cursor.valueEnd
  } else if (cursor.isNamed('rport')) {
    if (via.rportNameEnd >= 0) return false
    via.rportNameEnd = cursor.nameEnd
    via.rportValueStart = cursor.valueStart
    via.rportValueEnd = cursor.valueEnd
    return cursor.valueStart < 0 || readDecimal(via.bytes, cursor.valueStart, cursor.valueEnd, 65_535) >= 0
  }
  return true
}
