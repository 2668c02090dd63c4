import {
  COLON,
  COMMA,
  GREATER,
  LESS,
  QUESTION,
  QUOTE,
  SEMICOLON,
  SP,
  isAlpha,
  octetAt,
  skipQuoted,
  skipToken,
  skipWhitespace,
  textOf,
  trimEnd,
} from '../message/octets.ts'
import { paramsOf } from './param-cursor.ts'

/** `"Display" <uri>;params`, or a bare URI with parameters (RFC 3261, 20.10), as offsets; text is made when asked for. */
export class NameAddr {
  readonly bytes: Buffer
  readonly start: number
  end = 0
  /** Where the next value of the same line starts, or -1. */
  nextStart = -1
  uriStart = 0
  uriEnd = 0
  /** Whether the URI stands in angle brackets; without them, parameters belong to the header (RFC 3261, 20). */
  isBracketed = false
  paramsStart = 0
  tagStart = -1
  tagEnd = -1
  #uri: string | undefined = undefined
  #tag: string | undefined = undefined

  constructor(bytes: Buffer, start: number) {
    this.bytes = bytes
    this.start = start
  }

  get uri(): string {
    this.#uri ??= textOf(this.bytes, this.uriStart, this.uriEnd)
    return this.#uri
  }

  get tag(): string | undefined {
    if (this.tagStart < 0) return undefined
    this.#tag ??= textOf(this.bytes, this.tagStart, this.tagEnd)
    return this.#tag
  }

  /** Value of a header parameter, `''` when it has none. `name` in lower case. */
  param(name: string): string | undefined {
    const cursor = paramsOf(this.bytes, this.paramsStart, this.end)
    while (cursor.next()) {
      if (cursor.isNamed(name))
        return cursor.valueStart < 0 ? '' : textOf(this.bytes, cursor.valueStart, cursor.valueEnd)
    }
    return undefined
  }
}

/** The first value of [start, end), or undefined when it is not one. */
export function parseNameAddr(bytes: Buffer, start: number, end: number): NameAddr | undefined {
  const value = new NameAddr(bytes, skipWhitespace(bytes, start, end))
  const at = readUri(value, end)
  if (at < 0 || !isAbsoluteUri(bytes, value.uriStart, value.uriEnd)) return undefined
  return readParams(value, at, end)
}

/** The same of a text, for values that `Message.values` gave. */
export function parseNameAddrText(text: string): NameAddr | undefined {
  const bytes = Buffer.from(text, 'latin1')
  return parseNameAddr(bytes, 0, bytes.length)
}

// Display names are taken as they come, also with octets that should be quoted; a comma or semicolon there is refused,
// because the next element could read another value out of it (RFC 4475, 3.1.2.15).
function readUri(value: NameAddr, end: number): number {
  const { bytes } = value
  for (let at = value.start; at < end; at++) {
    const octet = bytes[at]
    if (octet === LESS) return readBracketed(value, at, end)
    if (octet === COMMA || octet === SEMICOLON || octet === QUESTION)
      return octet === QUESTION ? -1 : readBare(value, at)
    if (octet !== QUOTE) continue
    at = skipQuoted(bytes, at, end) - 1
    if (at < 0) return -1
  }
  return readBare(value, end)
}

function readBare(value: NameAddr, stop: number): number {
  value.uriStart = value.start
  value.uriEnd = trimEnd(value.bytes, value.start, stop)
  return stop
}

function readBracketed(value: NameAddr, less: number, end: number): number {
  const { bytes } = value
  let greater = less + 1
  while (greater < end && bytes[greater] !== GREATER) greater++
  if (greater === end) return -1
  value.isBracketed = true
  value.uriStart = less + 1
  value.uriEnd = greater
  return greater + 1
}

// Any scheme will do: what a proxy does not route by, it does not judge (RFC 4475, 3.3.4).
function isAbsoluteUri(bytes: Buffer, start: number, end: number): boolean {
  if (!isAlpha(octetAt(bytes, start))) return false
  const colon = skipToken(bytes, start, end)
  if (bytes[colon] !== COLON || colon + 1 >= end) return false
  for (let at = colon + 1; at < end; at++) {
    const octet = octetAt(bytes, at)
    if (octet <= SP || octet === 0x7f || octet === LESS || octet === QUOTE) return false
  }
  return true
}

function readParams(value: NameAddr, at: number, end: number): NameAddr | undefined {
  const { bytes } = value
  value.paramsStart = at
  const cursor = paramsOf(bytes, at, end)
  while (cursor.next()) {
    if (!cursor.isNamed('tag')) continue
    if (value.tagStart >= 0 || cursor.valueStart < 0) return undefined
    value.tagStart = cursor.valueStart
    value.tagEnd = cursor.valueEnd
  }
  if (cursor.isBroken) return undefined
  value.end = trimEnd(bytes, value.start, cursor.at)
  if (cursor.at < end) value.nextStart = skipWhitespace(bytes, cursor.at + 1, end)
  return value
}
