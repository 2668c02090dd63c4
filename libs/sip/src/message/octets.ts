/** Octets of SIP by class (RFC 3261, 25.1), and the few ways in which we look at them. */

export const HTAB = 0x09
export const LF = 0x0a
export const CR = 0x0d
export const SP = 0x20
export const QUOTE = 0x22
export const COMMA = 0x2c
export const SLASH = 0x2f
const ZERO = 0x30
const NINE = 0x39
export const COLON = 0x3a
export const SEMICOLON = 0x3b
export const LESS = 0x3c
export const EQUALS = 0x3d
export const GREATER = 0x3e
export const QUESTION = 0x3f
export const BRACKET = 0x5b
const BACKSLASH = 0x5c
const BRACKET_END = 0x5d

const TOKEN = 1
const WHITESPACE = 2
const HOST = 4
const PARAM_VALUE = 8

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'
const digits = '0123456789'
const classes = new Uint8Array(256)
mark(letters + digits + "-.!%*_+`'~", TOKEN)
mark(' \t\r\n', WHITESPACE)
mark(letters + digits + '-._', HOST) // the underscore is not in the grammar, but in many a network
for (let octet = 0x21; octet < 256; octet++) mark(String.fromCharCode(octet), PARAM_VALUE)
for (const octet of ';,"<>\x7f') unmark(octet, PARAM_VALUE)

function mark(octets: string, bit: number): void {
  for (const octet of octets) classes[octet.charCodeAt(0)] = (classes[octet.charCodeAt(0)] ?? 0) | bit
}

function unmark(octet: string, bit: number): void {
  classes[octet.charCodeAt(0)] = (classes[octet.charCodeAt(0)] ?? 0) & ~bit
}

/** Octet at `at`, or -1 behind the end, so that callers need no second check. */
export function octetAt(bytes: Buffer, at: number): number {
  return bytes[at] ?? -1
}

const is = (octet: number | undefined, bit: number): boolean => ((classes[octet ?? 256] ?? 0) & bit) !== 0

const isTokenOctet = (octet: number | undefined): boolean => is(octet, TOKEN)
export function isToken(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (!isTokenOctet(text.charCodeAt(i))) return false
  return text !== ''
}

/** SP, HTAB, and the CR and LF of a folded line. */
export const isWhitespace = (octet: number | undefined): boolean => is(octet, WHITESPACE)
export const isDigit = (octet: number | undefined): boolean => octet !== undefined && octet >= ZERO && octet <= NINE
export const isAlpha = (octet: number): boolean => (octet | 0x20) >= 0x61 && (octet | 0x20) <= 0x7a

export function skipWhitespace(bytes: Buffer, at: number, end: number): number {
  while (at < end && is(bytes[at], WHITESPACE)) at++
  return at
}

/** The end of [start, end) without whitespace behind it. */
export function trimEnd(bytes: Buffer, start: number, end: number): number {
  while (end > start && is(bytes[end - 1], WHITESPACE)) end--
  return end
}

export function skipToken(bytes: Buffer, at: number, end: number): number {
  while (at < end && is(bytes[at], TOKEN)) at++
  return at
}

export function skipHost(bytes: Buffer, at: number, end: number): number {
  while (at < end && is(bytes[at], HOST)) at++
  return at
}

/** Wider than the grammar: everything that cannot be taken for a delimiter. */
export function skipParamValue(bytes: Buffer, at: number, end: number): number {
  while (at < end && is(bytes[at], PARAM_VALUE)) at++
  return at
}

/** `at` is an opening quote; returns the place behind the closing one, or -1 when there is none. */
export function skipQuoted(bytes: Buffer, at: number, end: number): number {
  for (let i = at + 1; i < end; i++) {
    const octet = bytes[i]
    if (octet === BACKSLASH) i++
    else if (octet === QUOTE) return i + 1
  }
  return -1
}

/** `at` is `[`; returns the place behind `]`, or -1. Liberal inside (RFC 5118, 4.10), but nothing else than an IPv6 address. */
export function skipBracketed(bytes: Buffer, at: number, end: number): number {
  let i = at + 1
  while (i < end && isIpv6Octet(octetAt(bytes, i))) i++
  return i > at + 2 && i < end && bytes[i] === BRACKET_END ? i + 1 : -1
}

function isIpv6Octet(octet: number): boolean {
  if (octet === COLON || octet === 0x2e || isDigit(octet)) return true
  const lower = octet | 0x20
  return lower >= 0x61 && lower <= 0x66
}

/** A decimal of any length without rounding surprises: -1 for anything but digits, or when it is over `max`. */
export function readDecimal(bytes: Buffer, start: number, end: number, max: number): number {
  if (start >= end) return -1
  let value = 0
  for (let i = start; i < end; i++) {
    const octet = bytes[i] ?? 0
    if (octet < ZERO || octet > NINE) return -1
    value = value * 10 + (octet - ZERO)
    if (value > max) return -1
  }
  return value
}

/** `lower` is in lower case and holds token octets only. */
export function equalsIgnoringCase(bytes: Buffer, start: number, end: number, lower: string): boolean {
  if (end - start !== lower.length) return false
  for (let i = 0; i < lower.length; i++) {
    const octet = bytes[start + i] ?? 0
    const wanted = lower.charCodeAt(i)
    if (octet !== wanted && (octet < 0x41 || octet > 0x5a || (octet | 0x20) !== wanted)) return false
  }
  return true
}

/** Text in lower case, where it mostly is already. */
export function lowerTextOf(bytes: Buffer, start: number, end: number): string {
  const text = textOf(bytes, start, end)
  for (let at = start; at < end; at++) {
    const octet = bytes[at] ?? 0
    if (octet >= 0x41 && octet <= 0x5a) return text.toLowerCase()
  }
  return text
}

/** Text with one character per octet, so that writing it back (latin1) gives the same octets. */
export function textOf(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('latin1', start, end)
}

/** A copy for what is kept for long: buffers share a block, all of which stays as long as any of them. */
export function ownCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length)
  bytes.copy(copy)
  return copy
}
