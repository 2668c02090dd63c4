import {
  COMMA,
  EQUALS,
  QUOTE,
  SEMICOLON,
  equalsIgnoringCase,
  skipParamValue,
  skipQuoted,
  skipToken,
  skipWhitespace,
} from '../message/octets.ts'

/**
 * Walks `;name=value` parameters of a header value. Stops at the end, at a comma, or where the text breaks the
 * grammar (`isBroken`). `valueStart` is -1 for a parameter without a value. Quotes are part of a quoted value.
 */
export class ParamCursor {
  bytes: Buffer
  end: number
  at: number
  nameStart = 0
  nameEnd = 0
  valueStart = -1
  valueEnd = -1
  isBroken = false

  constructor(bytes: Buffer, at: number, end: number) {
    this.bytes = bytes
    this.at = at
    this.end = end
  }

  /** From the start, over other parameters. */
  begin(bytes: Buffer, at: number, end: number): void {
    this.bytes = bytes
    this.at = at
    this.end = end
    this.valueStart = this.valueEnd = -1
    this.isBroken = false
  }

  next(): boolean {
    const { bytes, end } = this
    const at = skipWhitespace(bytes, this.at, end)
    if (at >= end || bytes[at] === COMMA) {
      this.at = at
      return false
    }
    if (bytes[at] !== SEMICOLON) return this.#broken()
    this.nameStart = skipWhitespace(bytes, at + 1, end)
    this.nameEnd = skipToken(bytes, this.nameStart, end)
    if (this.nameEnd === this.nameStart) return this.#broken()
    return this.#value(skipWhitespace(bytes, this.nameEnd, end))
  }

  isNamed(lower: string): boolean {
    return equalsIgnoringCase(this.bytes, this.nameStart, this.nameEnd, lower)
  }

  #value(at: number): boolean {
    const { bytes, end } = this
    this.valueStart = this.valueEnd = -1
    this.at = at
    if (at >= end || bytes[at] !== EQUALS) return true
    const start = skipWhitespace(bytes, at + 1, end)
    const stop =
      bytes[start] === QUOTE && start < end ? skipQuoted(bytes, start, end) : skipParamValue(bytes, start, end)
    if (stop <= start) return this.#broken()
    this.valueStart = start
    this.valueEnd = stop
    this.at = stop
    return true
  }

  #broken(): boolean {
    this.isBroken = true
    return false
  }
}

const shared = new ParamCursor(Buffer.alloc(0), 0, 0)

/** A walk over these parameters. It is good until the next walk begins: a message has a dozen of them, one after the other. */
export function paramsOf(bytes: Buffer, at: number, end: number): ParamCursor {
  shared.begin(bytes, at, end)
  return shared
}
