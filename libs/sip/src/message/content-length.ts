import type { HeaderLine } from './message.ts'
import { readDecimal } from './octets.ts'

/**
 * The one reading of Content-Length: whoever cuts a stream into messages and whoever then takes a message apart must
 * see the same number, or a second message could be hidden in a body. -1 for anything but digits, or when over `max`.
 */
export function readContentLength(bytes: Buffer, line: HeaderLine, max: number): number {
  return readDecimal(bytes, line.valueStart, line.valueEnd, max)
}
