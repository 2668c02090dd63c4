import { SipError } from '../errors.ts'
import type { HeaderId } from './header-id.ts'
import type { HeaderLine } from './message.ts'
import { textOf } from './octets.ts'

/** A header line as it came, with a line end of its own: the last line of a truncated message has none. */
export function lineText(bytes: Buffer, line: HeaderLine): string {
  return `${textOf(bytes, line.start, line.valueEnd)}\r\n`
}

/** @throws SipError `unbuildable` when the header is absent. */
export function firstLine(message: { readonly lines: readonly HeaderLine[] }, id: HeaderId): HeaderLine {
  const line = message.lines.find((candidate) => candidate.id === id)
  if (line === undefined)
    throw new SipError('unbuildable', 'a header that every answer copies is missing; check `answerable`')
  return line
}
