import { QUOTE, equalsIgnoringCase, readDecimal, skipWhitespace, trimEnd } from '../message/octets.ts'
import { paramsOf, type ParamCursor } from './param-cursor.ts'
import type { Via } from './via.ts'

/**
 * Parameters of our Via that say that we obey (RFC 7339, 4.1). Only loss, which all must know (RFC 7339, 4.2), is announced:
 * Kamailio (measured on 5.6.3) takes the comma of `oc-algo="loss,rate"` for the end of the Via, in spite of the quotes, and
 * drops the request. A rate that comes unasked is understood.
 */
export const overloadOffer = { oc: '', 'oc-algo': '"loss"' } as const

/** What a neighbour asks for in our Via of its response (RFC 7339, RFC 7415). */
export interface Overload {
  readonly algorithm: 'loss' | 'rate'
  /** loss: percent of requests to leave out; rate: requests per second that may be sent. */
  readonly value: number
  /** 0 ends the control (RFC 7339, 4.3). */
  readonly validityMs: number
  /** A lower one than was heard before is old (RFC 7339, 4.4); 0 where it was left out. */
  readonly seq: number
}

const DEFAULT_VALIDITY_MS = 500 // RFC 7339, 4.3
/** Longer or faster than that means nothing more, and the contract takes no more. */
const MAX = { validityMs: 3_600_000, rate: 1_000_000 }
const MAX_DELTA = 2 ** 31 - 1
const DOT = '.'.charCodeAt(0)
/** RFC 7339, 8: 1*12DIGIT "." 1*5DIGIT. */
const SEQ_DIGITS = { whole: 12, fraction: 5 }

/** Offsets of the values: start `ABSENT` where the parameter is, -1 where it has no value. */
const ABSENT = -2

class Params {
  readonly bytes: Buffer
  ocStart = ABSENT
  ocEnd = 0
  algorithmStart = ABSENT
  algorithmEnd = 0
  validityStart = ABSENT
  validityEnd = 0
  seqStart = ABSENT
  seqEnd = 0

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  /** False: it was given before, and so could be read in two ways. */
  take(cursor: ParamCursor): boolean {
    const { valueStart, valueEnd } = cursor
    if (cursor.isNamed('oc')) {
      if (this.ocStart !== ABSENT) return false
      this.ocStart = valueStart
      this.ocEnd = valueEnd
    } else if (cursor.isNamed('oc-algo')) {
      if (this.algorithmStart !== ABSENT) return false
      this.algorithmStart = valueStart
      this.algorithmEnd = valueEnd
    } else if (cursor.isNamed('oc-validity')) {
      if (this.validityStart !== ABSENT) return false
      this.validityStart = valueStart
      this.validityEnd = valueEnd
    } else if (cursor.isNamed('oc-seq')) {
      if (this.seqStart !== ABSENT) return false
      this.seqStart = valueStart
      this.seqEnd = valueEnd
    }
    return true
  }
}

/** Undefined: it asks for nothing, as where it sent our bare `oc` back. Read only the topmost Via: the others are not ours. */
export function readOverload(via: Via): Overload | 'malformed' | undefined {
  const params = new Params(via.bytes)
  const cursor = paramsOf(via.bytes, via.paramsStart, via.end)
  while (cursor.next()) if (!params.take(cursor)) return 'malformed'
  if (params.ocStart < 0) return undefined
  const algorithm = readAlgorithm(params)
  const value = readDecimal(params.bytes, params.ocStart, params.ocEnd, MAX_DELTA)
  const validityMs = readValidity(params)
  const seq = readSeq(params)
  if (algorithm === undefined || value < 0 || validityMs < 0 || seq < 0) return 'malformed'
  if (algorithm === 'loss' && value > 100) return 'malformed'
  return {
    algorithm,
    value: Math.min(value, MAX.rate),
    validityMs: Math.min(validityMs, MAX.validityMs),
    seq,
  }
}

// It says the one that it chose of ours (RFC 7339, 4.2); loss is what all must know, and so what a silent one means.
// Our own list sent back does not say which one is meant. Quotes are the grammar's; some leave them out.
function readAlgorithm({ bytes, algorithmStart, algorithmEnd }: Params): Overload['algorithm'] | undefined {
  if (algorithmStart === ABSENT) return 'loss'
  if (algorithmStart < 0) return undefined
  const isQuoted = bytes[algorithmStart] === QUOTE
  const end = trimEnd(bytes, algorithmStart, isQuoted ? algorithmEnd - 1 : algorithmEnd)
  const start = skipWhitespace(bytes, isQuoted ? algorithmStart + 1 : algorithmStart, end)
  if (equalsIgnoringCase(bytes, start, end, 'loss')) return 'loss'
  return equalsIgnoringCase(bytes, start, end, 'rate') ? 'rate' : undefined
}

function readValidity({ bytes, validityStart, validityEnd }: Params): number {
  return validityStart < 0 ? DEFAULT_VALIDITY_MS : readDecimal(bytes, validityStart, validityEnd, MAX_DELTA)
}

function readSeq({ bytes, seqStart, seqEnd }: Params): number {
  if (seqStart < 0) return seqStart === ABSENT ? 0 : -1
  let dot = seqStart
  while (dot < seqEnd && bytes[dot] !== DOT) dot++
  const fractionDigits = seqEnd - dot - 1
  if (dot - seqStart > SEQ_DIGITS.whole || fractionDigits > SEQ_DIGITS.fraction) return -1
  const whole = readDecimal(bytes, seqStart, dot, Number.MAX_SAFE_INTEGER)
  if (dot === seqEnd) return whole // breaks the grammar, and says what it means: a script's clock may have whole seconds only
  const fraction = readDecimal(bytes, dot + 1, seqEnd, Number.MAX_SAFE_INTEGER)
  return whole < 0 || fraction < 0 ? -1 : whole + fraction / 10 ** fractionDigits
}
