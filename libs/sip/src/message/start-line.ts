import type { Limits } from './limits.ts'
import type { Problem } from './message.ts'
import { methodText } from './method.ts'
import { CR, LF, SP, equalsIgnoringCase, readDecimal, skipToken, textOf } from './octets.ts'

export interface RequestLine {
  readonly kind: 'request-line'
  /** Behind the CRLF. */
  readonly end: number
  /** `''` when there is none. */
  readonly method: string
  readonly requestUri: string
  readonly requestUriStart: number
  readonly requestUriEnd: number
  readonly problem: Problem | undefined
}

export interface StatusLine {
  readonly kind: 'status-line'
  readonly end: number
  readonly status: number
  readonly reasonStart: number
  readonly reasonEnd: number
  readonly problem: Problem | undefined
}

/** Request-Line or Status-Line (RFC 3261, 7.1 and 7.2). */
export function readStartLine(bytes: Buffer, limits: Limits): RequestLine | StatusLine {
  const stop = endOfLine(bytes)
  const end = Math.min(stop + 2, bytes.length)
  const problem = stop > limits.headerLine ? 'start-line-size' : endProblem(bytes, stop)
  return equalsIgnoringCase(bytes, 0, Math.min(4, stop), 'sip/')
    ? readStatusLine(bytes, stop, end, problem)
    : readRequestLine(bytes, stop, end, problem)
}

/** The first CR or LF, or the end. */
function endOfLine(bytes: Buffer): number {
  let at = 0
  while (at < bytes.length && bytes[at] !== CR && bytes[at] !== LF) at++
  return at
}

function endProblem(bytes: Buffer, stop: number): Problem | undefined {
  return bytes[stop] === CR && bytes[stop + 1] === LF ? undefined : 'line-end'
}

// Exactly one space between the elements and none behind: "SHOULD NOT be lenient" (RFC 4475, 3.1.2.8 to 3.1.2.10).
function readRequestLine(bytes: Buffer, stop: number, end: number, earlier: Problem | undefined): RequestLine {
  const methodEnd = skipToken(bytes, 0, stop)
  const hasMethod = methodEnd > 0 && bytes[methodEnd] === SP && methodEnd < stop
  const method = hasMethod ? methodText(bytes, 0, methodEnd) : ''
  const start = methodEnd + 1
  const uriEnd = hasMethod ? endOfWord(bytes, start, stop) : start
  const problem = earlier ?? (uriEnd > start && uriEnd < stop ? versionProblem(bytes, uriEnd + 1, stop) : 'start-line')
  const requestUri = problem === undefined ? textOf(bytes, start, uriEnd) : ''
  return { kind: 'request-line', end, method, requestUri, requestUriStart: start, requestUriEnd: uriEnd, problem }
}

function versionProblem(bytes: Buffer, start: number, stop: number): Problem | undefined {
  if (equalsIgnoringCase(bytes, start, stop, 'sip/2.0')) return undefined
  const isSip = start + 4 < stop && equalsIgnoringCase(bytes, start, start + 4, 'sip/')
  return isSip && endOfWord(bytes, start, stop) === stop ? 'version' : 'start-line'
}

function endOfWord(bytes: Buffer, start: number, stop: number): number {
  let at = start
  while (at < stop && (bytes[at] ?? 0) > SP) at++
  return at
}

// A missing space behind the code is let pass: the reason is empty either way.
function readStatusLine(bytes: Buffer, stop: number, end: number, earlier: Problem | undefined): StatusLine {
  const codeStart = endOfWord(bytes, 0, stop) + 1
  const codeEnd = endOfWord(bytes, codeStart, stop)
  const status = codeEnd - codeStart === 3 ? readDecimal(bytes, codeStart, codeEnd, 699) : -1
  const isOurVersion = equalsIgnoringCase(bytes, 0, codeStart - 1, 'sip/2.0')
  const problem = earlier ?? (isOurVersion ? (status < 100 ? 'status-code' : undefined) : 'version')
  return { kind: 'status-line', end, status, reasonStart: Math.min(codeEnd + 1, stop), reasonEnd: stop, problem }
}
