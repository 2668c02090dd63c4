import { methodText } from '../message/method.ts'
import { isDigit, readDecimal, skipToken, skipWhitespace, trimEnd } from '../message/octets.ts'

/** RFC 3261, 20.16. `method` keeps its case: methods are compared exactly. */
export interface CSeq {
  readonly number: number
  readonly method: string
}

const MAX_NUMBER = 2 ** 31 - 1 // RFC 3261, 8.1.1.5

export function parseCSeq(bytes: Buffer, start: number, end: number): CSeq | undefined {
  const stop = trimEnd(bytes, start, end)
  let digitsEnd = start
  while (digitsEnd < stop && isDigit(bytes[digitsEnd])) digitsEnd++
  const number = readDecimal(bytes, start, digitsEnd, MAX_NUMBER)
  const methodStart = skipWhitespace(bytes, digitsEnd, stop)
  const isWhole = methodStart > digitsEnd && methodStart < stop && skipToken(bytes, methodStart, stop) === stop
  return number < 0 || !isWhole ? undefined : { number, method: methodText(bytes, methodStart, stop) }
}
