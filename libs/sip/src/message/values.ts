import { isListHeader } from './header-id.ts'
import type { HeaderId } from './header-id.ts'
import type { HeaderLine } from './message.ts'
import { COMMA, CR, GREATER, LESS, LF, QUOTE, skipQuoted, skipWhitespace, textOf, trimEnd } from './octets.ts'

/** The comma that ends the value starting at `at`, or `end`. Commas in quotes and angle brackets part nothing. */
export function endOfValue(bytes: Buffer, at: number, end: number): number {
  let isInBrackets = false
  for (; at < end; at++) {
    const octet = bytes[at]
    if (octet === LESS) isInBrackets = true
    else if (octet === GREATER) isInBrackets = false
    else if (octet === COMMA && !isInBrackets) return at
    else if (octet === QUOTE && !isInBrackets) {
      const close = skipQuoted(bytes, at, end)
      if (close < 0) return end
      at = close - 1
    }
  }
  return end
}

/** Number of values in a comma list, empty ones not counted. */
export function countValues(bytes: Buffer, line: HeaderLine): number {
  let count = 0
  for (let at = line.valueStart; at < line.valueEnd;) {
    const stop = endOfValue(bytes, at, line.valueEnd)
    if (skipWhitespace(bytes, at, stop) < stop) count++
    at = stop + 1
  }
  return count
}

export function pushValues(bytes: Buffer, line: HeaderLine, id: HeaderId, values: string[]): void {
  if (!isListHeader(id)) {
    values.push(unfolded(bytes, line.valueStart, line.valueEnd))
    return
  }
  for (let at = line.valueStart; at < line.valueEnd;) {
    const stop = endOfValue(bytes, at, line.valueEnd)
    const start = skipWhitespace(bytes, at, stop)
    if (start < stop) values.push(unfolded(bytes, start, trimEnd(bytes, start, stop)))
    at = stop + 1
  }
}

// RFC 3261, 7.3.1: a fold means one space.
function unfolded(bytes: Buffer, start: number, end: number): string {
  const text = textOf(bytes, start, end)
  if (!text.includes('\r\n')) return text
  let result = ''
  let from = start
  for (let at = start; at < end; at++) {
    if (bytes[at] !== CR || bytes[at + 1] !== LF) continue
    result += `${textOf(bytes, from, trimEnd(bytes, from, at))} `
    from = skipWhitespace(bytes, at, end)
    at = from - 1
  }
  return result + textOf(bytes, from, end)
}
