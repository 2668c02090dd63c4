import { HeaderId, recogniseHeader } from './header-id.ts'
import type { Limits } from './limits.ts'
import type { HeaderLine, Problem } from './message.ts'
import { COLON, CR, HTAB, LF, SP, octetAt, skipToken } from './octets.ts'

/** Where the lines of the header section are. The first problem is kept; as much as can be is indexed all the same. */
export interface LineIndex {
  readonly lines: HeaderLine[]
  readonly headersEnd: number
  readonly bodyStart: number
  readonly problem: Problem | undefined
}

/** One pass over the header section, which starts at `start`; the body is not looked at. */
export function indexLines(bytes: Buffer, start: number, limits: Limits): LineIndex {
  return new LineReader(bytes, start, limits).read()
}

class LineReader {
  readonly bytes: Buffer
  readonly limits: Limits
  readonly lines: HeaderLine[] = []
  at: number
  problem: Problem | undefined = undefined
  valueEnd = 0

  constructor(bytes: Buffer, start: number, limits: Limits) {
    this.bytes = bytes
    this.at = start
    this.limits = limits
  }

  read(): LineIndex {
    const { bytes, lines, limits } = this
    while (this.at < bytes.length) {
      if (bytes[this.at] === CR && bytes[this.at + 1] === LF) return this.#index(this.at, this.at + 2)
      if (lines.length === limits.headerLines) return this.#stop('header-count')
      this.#line()
      if (this.problem === 'header-size') break
    }
    return this.#stop('no-end-of-headers')
  }

  #index(headersEnd: number, bodyStart: number): LineIndex {
    return { lines: this.lines, headersEnd, bodyStart, problem: this.problem }
  }

  #stop(problem: Problem): LineIndex {
    this.problem ??= problem
    return this.#index(this.at, this.at)
  }

  #line(): void {
    const { bytes } = this
    const start = this.at
    const nameEnd = skipToken(bytes, start, bytes.length)
    let colon = nameEnd
    while (bytes[colon] === SP || bytes[colon] === HTAB) colon++ // HCOLON: space before the colon is legal (25.1)
    const isHeader = nameEnd > start && bytes[colon] === COLON
    if (!isHeader) this.problem ??= 'header-line'
    const valueStart = this.#skipBlank(isHeader ? colon + 1 : start)
    this.#value(valueStart, start + this.limits.headerLine)
    const id = isHeader ? recogniseHeader(bytes, start, nameEnd) : HeaderId.Other
    const valueEnd = Math.max(valueStart, this.valueEnd)
    this.lines.push({ id, start, nameEnd, valueStart, valueEnd, end: this.at })
  }

  // Whitespace before the value, folds included.
  #skipBlank(at: number): number {
    const { bytes } = this
    const start = at
    for (;;) {
      const octet = bytes[at]
      if (octet === SP || octet === HTAB) at++
      else if (octet === CR && bytes[at + 1] === LF && isBlank(bytes[at + 2])) at += 3
      else break
    }
    if (at - start > this.limits.whitespaceRun) this.problem ??= 'whitespace-run'
    return at
  }

  // Moves `at` behind the line end. A CR or LF on its own is a line end to some parsers and none to others.
  #value(from: number, limit: number): void {
    const { bytes } = this
    const run = this.limits.whitespaceRun
    const length = bytes.length
    let at = from
    let behind = from // behind the last octet that is not whitespace
    while (at < length) {
      const octet = bytes[at] ?? 0
      if (octet > SP) {
        if (at - behind > run) this.problem ??= 'whitespace-run'
        at = skipVisible(bytes, at)
        behind = at
        continue
      }
      if (octet === CR && bytes[at + 1] === LF) {
        if (!isBlank(bytes[at + 2])) break
        at++
      } else if (octet === CR || octet === LF) this.problem ??= 'line-end'
      else if (octet !== SP && octet !== HTAB) behind = at + 1 // NUL and its like: part of the value
      at++
    }
    if (at - behind > run) this.problem ??= 'whitespace-run'
    this.valueEnd = behind
    this.at = at < length ? at + 2 : length
    if (at > limit) this.problem ??= 'header-size'
    if (at >= length) this.problem ??= 'no-end-of-headers'
  }
}

// Nearly all octets of a message: looked at by nothing else.
function skipVisible(bytes: Buffer, from: number): number {
  let at = from
  while ((bytes[at] ?? 0) > SP) at++
  return at
}

const isBlank = (octet: number | undefined): boolean => octet === SP || octet === HTAB

/** Whether a value holds a control octet that must not be copied into a message of ours. */
export function hasBareControl(bytes: Buffer, line: HeaderLine): boolean {
  for (let at = line.valueStart; at < line.valueEnd; at++) {
    const octet = octetAt(bytes, at)
    if (octet >= SP || octet === HTAB) continue
    if (octet === CR && bytes[at + 1] === LF && isBlank(bytes[at + 2])) at++
    else return true
  }
  return false
}
