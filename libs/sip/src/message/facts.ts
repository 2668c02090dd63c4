import { parseCSeq } from '../header/cseq.ts'
import type { CSeq } from '../header/cseq.ts'
import { parseNameAddr } from '../header/name-addr.ts'
import type { NameAddr } from '../header/name-addr.ts'
import { parseVia } from '../header/via.ts'
import type { Via } from '../header/via.ts'
import { readContentLength } from './content-length.ts'
import { HeaderId } from './header-id.ts'
import type { LineIndex } from './line-index.ts'
import type { HeaderLine, Problem } from './message.ts'
import { SP, octetAt, textOf } from './octets.ts'

/**
 * What every message must have, read from its lines. Headers that may stand once are taken from their first line; a
 * second one is a problem, because the next element may take the other (request smuggling).
 */
export class Facts {
  readonly bytes: Buffer
  readonly lines: readonly HeaderLine[]
  readonly headersEnd: number
  readonly bodyStart: number
  bodyEnd: number
  problem: Problem | undefined = undefined
  topVia: Via | undefined = undefined
  from: NameAddr | undefined = undefined
  to: NameAddr | undefined = undefined
  cseq: CSeq | undefined = undefined
  callId = ''

  constructor(bytes: Buffer, index: LineIndex) {
    this.bytes = bytes
    this.lines = index.lines
    this.headersEnd = index.headersEnd
    this.bodyStart = index.bodyStart
    this.bodyEnd = bytes.length
  }

  lineOf(id: HeaderId): HeaderLine | undefined {
    const { lines } = this
    for (let i = 0; i < lines.length; i++) if (lines[i]?.id === id) return lines[i]
    return undefined
  }
}

const single = maskOf(
  HeaderId.From,
  HeaderId.To,
  HeaderId.CallId,
  HeaderId.CSeq,
  HeaderId.MaxForwards,
  HeaderId.ContentLength,
)

function maskOf(...ids: HeaderId[]): number {
  return ids.reduce<number>((mask, id) => mask | (1 << id), 0)
}

export function readFacts(bytes: Buffer, index: LineIndex): Facts {
  const facts = new Facts(bytes, index)
  let seen = 0
  for (const line of index.lines) {
    if (line.id === HeaderId.Other) continue
    const bit = 1 << line.id
    if ((seen & bit) === 0) takeFirst(facts, line)
    else if ((single & bit) !== 0) facts.problem ??= 'repeated-header'
    else if (line.id === HeaderId.Via && facts.topVia !== undefined) facts.topVia.hasMore = true
    seen |= bit
  }
  facts.problem ??= whatIsMissing(facts)
  return facts
}

function takeFirst(facts: Facts, line: HeaderLine): void {
  const { bytes } = facts
  switch (line.id) {
    case HeaderId.Via:
      facts.topVia = parseVia(bytes, line.valueStart, line.valueEnd)
      break
    case HeaderId.From:
      facts.from = parseSingle(bytes, line)
      break
    case HeaderId.To:
      facts.to = parseSingle(bytes, line)
      break
    case HeaderId.CSeq:
      facts.cseq = parseCSeq(bytes, line.valueStart, line.valueEnd)
      break
    case HeaderId.CallId:
      facts.callId = readCallId(bytes, line)
      break
    case HeaderId.ContentLength:
      takeContentLength(facts, line)
      break
    default: // read when somebody asks
  }
}

function parseSingle(bytes: Buffer, line: HeaderLine): NameAddr | undefined {
  const value = parseNameAddr(bytes, line.valueStart, line.valueEnd)
  return value === undefined || value.nextStart >= 0 ? undefined : value
}

/** One word (20.8), or `''`. */
function readCallId(bytes: Buffer, line: HeaderLine): string {
  for (let at = line.valueStart; at < line.valueEnd; at++) {
    const octet = octetAt(bytes, at)
    if (octet <= SP || octet === 0x7f) return ''
  }
  return textOf(bytes, line.valueStart, line.valueEnd)
}

// RFC 3261, 18.3: octets behind Content-Length are dropped on UDP, and a message with fewer is refused.
function takeContentLength(facts: Facts, line: HeaderLine): void {
  const available = facts.bytes.length - facts.bodyStart
  const length = readContentLength(facts.bytes, line, available)
  if (length < 0) facts.problem ??= 'content-length'
  else facts.bodyEnd = facts.bodyStart + length
}

function whatIsMissing(facts: Facts): Problem | undefined {
  if (facts.topVia === undefined) return 'via'
  if (facts.from === undefined) return 'from'
  if (facts.to === undefined) return 'to'
  if (facts.callId === '') return 'call-id'
  return facts.cseq === undefined ? 'cseq' : undefined
}
