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

const names = ['oc', 'oc-algo', 'oc-validity', 'oc-seq'] as const
const [OC, ALGORITHM, VALIDITY, SEQ] = [0, 1, 2, 3] as const
const ABSENT = -2

/** Offsets of the values, in the order of `names`: start `ABSENT` where the parameter is, -1 where it has no value. */
class Params {
  readonly bytes: Buffer
  readonly starts: [number, number, number, number] = [ABSENT, ABSENT, ABSENT, ABSENT]
  readonly ends: [number, number, number, number] = [0, 0, 0, 0]

  constructor(bytes: Buffer) {
    this.bytes = bytes
  }

  /** False: it was given before, and so could be read in two ways. */
  take(cursor: ParamCursor): boolean {
    for (let i = 0; i < names.length; i++) {
      if (!cursor.isNamed(names[i] ?? '')) continue
      if (this.starts[i] !== ABSENT) return false
      this.starts[i] = cursor.valueStart
      this.ends[i] = cursor.valueEnd
    }
    return true
  }
}

/** Undefined: it asks for nothing, as where it sent our bare `oc` back. Read only the topmost Via: the others are not ours. */
export function readOverload(via: Via): Overload | 'malformed' | undefined {
  const { bytes } = via
  const params = new Params(bytes)
  const cursor = paramsOf(via.bytes, via.paramsStart, via.end)
  while (cursor.next()) if (!params.take(cursor)) return 'malformed'
  if (params.starts[OC] < 0) return undefined
  const algorithm = readAlgorithm(params)
  const value = readDecimal(bytes, params.starts[OC], params.ends[OC], MAX_DELTA)
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
function readAlgorithm({ bytes, starts, ends }: Params): Overload['algorithm'] | undefined {
  const [from, stop] = [starts[ALGORITHM], ends[ALGORITHM]]
  if (from === ABSENT) return 'loss'
  if (from < 0) return undefined
  const isQuoted = bytes[from] === QUOTE
  const end = trimEnd(bytes, from, isQuoted ? stop - 1 : stop)
  const start = skipWhitespace(bytes, isQuoted ? from + 1 : from, end)
  if (equalsIgnoringCase(bytes, start, end, 'loss')) return 'loss'
  return equalsIgnoringCase(bytes, start, end, 'rate') ? 'rate' : undefined
}

function readValidity({ bytes, starts, ends }: Params): number {
  return starts[VALIDITY] < 0 ? DEFAULT_VALIDITY_MS : readDecimal(bytes, starts[VALIDITY], ends[VALIDITY], MAX_DELTA)
}

function readSeq({ bytes, starts, ends }: Params): number {
  const [start, end] = [starts[SEQ], ends[SEQ]]
  if (start < 0) return start === ABSENT ? 0 : -1
  let dot = start
  while (dot < end && bytes[dot] !== DOT) dot++
  const fractionDigits = end - dot - 1
  if (dot - start > SEQ_DIGITS.whole || fractionDigits > SEQ_DIGITS.fraction) return -1
  const whole = readDecimal(bytes, start, dot, Number.MAX_SAFE_INTEGER)
  if (dot === end) return whole // breaks the grammar, and says what it means: a script's clock may have whole seconds only
  const fraction = readDecimal(bytes, dot + 1, end, Number.MAX_SAFE_INTEGER)
  return whole < 0 || fraction < 0 ? -1 : whole + fraction / 10 ** fractionDigits
}
