import { QUOTE, equalsIgnoringCase, readDecimal, skipWhitespace, trimEnd } from '../message/octets.ts'
import { ParamCursor } from './param-cursor.ts'
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

/** Offsets of the values: undefined where the parameter is absent, start -1 where it has no value. */
interface Found {
  readonly start: number
  readonly end: number
}
type Params = Partial<Record<'oc' | 'algorithm' | 'validity' | 'seq', Found>>

/** Undefined: it asks for nothing, as where it sent our bare `oc` back. Read only the topmost Via: the others are not ours. */
export function readOverload(via: Via): Overload | 'malformed' | undefined {
  const params = findParams(via)
  if (params === 'malformed') return params
  const { bytes } = via
  if (params.oc === undefined || params.oc.start < 0) return undefined
  const algorithm = readAlgorithm(bytes, params.algorithm)
  const value = readDecimal(bytes, params.oc.start, params.oc.end, MAX_DELTA)
  const validityMs = readValidity(bytes, params.validity)
  const seq = readSeq(bytes, params.seq)
  if (algorithm === undefined || value < 0 || validityMs < 0 || seq < 0) return 'malformed'
  if (algorithm === 'loss' && value > 100) return 'malformed'
  return {
    algorithm,
    value: Math.min(value, MAX.rate),
    validityMs: Math.min(validityMs, MAX.validityMs),
    seq,
  }
}

// Given twice it could be read in two ways.
function findParams(via: Via): Params | 'malformed' {
  const params: Params = {}
  const cursor = new ParamCursor(via.bytes, via.paramsStart, via.end)
  while (cursor.next()) {
    const name = nameOf(cursor)
    if (name === undefined) continue
    if (params[name] !== undefined) return 'malformed'
    params[name] = { start: cursor.valueStart, end: cursor.valueEnd }
  }
  return params
}

function nameOf(cursor: ParamCursor): keyof Params | undefined {
  if (cursor.isNamed('oc')) return 'oc'
  if (cursor.isNamed('oc-algo')) return 'algorithm'
  if (cursor.isNamed('oc-validity')) return 'validity'
  return cursor.isNamed('oc-seq') ? 'seq' : undefined
}

// It says the one that it chose of ours (RFC 7339, 4.2); loss is what all must know, and so what a silent one means.
// Our own list sent back does not say which one is meant. Quotes are the grammar's; some leave them out.
function readAlgorithm(bytes: Buffer, found: Found | undefined): Overload['algorithm'] | undefined {
  if (found === undefined) return 'loss'
  if (found.start < 0) return undefined
  const isQuoted = bytes[found.start] === QUOTE
  const end = trimEnd(bytes, found.start, isQuoted ? found.end - 1 : found.end)
  const start = skipWhitespace(bytes, isQuoted ? found.start + 1 : found.start, end)
  if (equalsIgnoringCase(bytes, start, end, 'loss')) return 'loss'
  return equalsIgnoringCase(bytes, start, end, 'rate') ? 'rate' : undefined
}

function readValidity(bytes: Buffer, found: Found | undefined): number {
  if (found === undefined || found.start < 0) return DEFAULT_VALIDITY_MS
  return readDecimal(bytes, found.start, found.end, MAX_DELTA)
}

function readSeq(bytes: Buffer, found: Found | undefined): number {
  if (found === undefined) return 0
  const { start, end } = found
  if (start < 0) return -1
  let dot = start
  while (dot < end && bytes[dot] !== DOT) dot++
  const fractionDigits = end - dot - 1
  if (dot - start > SEQ_DIGITS.whole || fractionDigits > SEQ_DIGITS.fraction) return -1
  const whole = readDecimal(bytes, start, dot, Number.MAX_SAFE_INTEGER)
  const fraction = readDecimal(bytes, dot + 1, end, Number.MAX_SAFE_INTEGER)
  return whole < 0 || fraction < 0 ? -1 : whole + fraction / 10 ** fractionDigits
}
