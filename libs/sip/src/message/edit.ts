import { SipError, refuseLineBreaks } from '../errors.ts'
import type { Via } from '../header/via.ts'
import { HeaderId, headerName } from './header-id.ts'
import type { HeaderLine, Message, SipRequest } from './message.ts'
import { COMMA, skipWhitespace, trimEnd } from './octets.ts'
import { Slab } from './slab.ts'
import { countValues, endOfValue } from './values.ts'

const slab = new Slab()

/** A change as data: at this offset take away so many octets and put these in. Text is written as latin1. */
export interface Edit {
  readonly at: number
  readonly remove: number
  readonly insert: string | Buffer
}

/**
 * The message with all edits made, in one copy; every other octet stays. Edits at one offset are made in their order.
 *
 * @throws SipError `overlapping-edits` when two of them take away the same octet.
 */
export function applyEdits(message: { readonly bytes: Buffer }, edits: readonly Edit[]): Buffer {
  const { bytes } = message
  const sorted = inOrder(edits)
  let size = bytes.length
  for (const edit of sorted) size += edit.insert.length - edit.remove
  const result = slab.take(size)
  let from = 0
  let to = 0
  for (const { at, remove, insert } of sorted) {
    if (at < from || at + remove > bytes.length) {
      throw new SipError('overlapping-edits', `the edit at offset ${at} meets one before it or leaves the message`)
    }
    to += bytes.copy(result, to, from, at)
    to += typeof insert === 'string' ? result.write(insert, to, 'latin1') : insert.copy(result, to)
    from = at + remove
  }
  bytes.copy(result, to, from)
  return result
}

// Pure insertions go before a replacement at the same place, so that they do not land behind what it took away.
const rank = (edit: Edit): number => (edit.remove === 0 ? 0 : 1)

// By insertion: there are a handful of them, mostly in order, and the array's own sort costs more than all else that is done here.
function inOrder(edits: readonly Edit[]): readonly Edit[] {
  if (isInOrder(edits)) return edits
  const sorted: Edit[] = []
  for (const edit of edits) {
    let place = sorted.length
    for (; place > 0; place--) {
      const before = sorted[place - 1]
      if (before === undefined || goesBefore(before, edit)) break
      sorted[place] = before
    }
    sorted[place] = edit
  }
  return sorted
}

function isInOrder(edits: readonly Edit[]): boolean {
  for (let i = 1; i < edits.length; i++) {
    const [before, edit] = [edits[i - 1], edits[i]]
    if (before !== undefined && edit !== undefined && !goesBefore(before, edit)) return false
  }
  return true
}

function goesBefore(one: Edit, other: Edit): boolean {
  return one.at < other.at || (one.at === other.at && rank(one) <= rank(other))
}

const none: readonly Edit[] = []

const insertAt = (at: number, insert: string): Edit => ({ at, remove: 0, insert })
const remove = (start: number, end: number): Edit => ({ at: start, remove: end - start, insert: '' })
const replace = (start: number, end: number, insert: string): Edit => ({ at: start, remove: end - start, insert })
const lineText = (name: string, value: string): string => `${name}: ${refuseLineBreaks(value)}\r\n`

const firstLineStart = (message: Message): number => message.lines[0]?.start ?? message.headersEnd

/** A header line above all others. */
export function prependLine(message: Message, name: string, value: string): Edit {
  return insertAt(firstLineStart(message), lineText(name, value))
}

/** A header line below all others. */
export function appendLine(message: Message, name: string, value: string): Edit {
  return insertAt(message.headersEnd, lineText(name, value))
}

/** A line above the first one of this header, or above all lines when there is none: a new topmost Via, Route, Record-Route. */
export function addLineAbove(message: Message, id: HeaderId, value: string): Edit {
  const at = message.line(id)?.start ?? firstLineStart(message)
  return insertAt(at, lineText(headerName(id), value))
}

/** A line below the last one of this header, or below all lines when there is none. */
export function addLineBelow(message: Message, id: HeaderId, value: string): Edit {
  const last = message.lines.findLast((line) => line.id === id)
  return insertAt(last?.end ?? message.headersEnd, lineText(headerName(id), value))
}

/** A Via of ours above the others (RFC 3261, 16.6 step 8). */
export function pushVia(message: Message, value: string): Edit {
  return addLineAbove(message, HeaderId.Via, value)
}

export function replaceRequestUri(request: SipRequest, uri: string): Edit {
  return replace(request.requestUriStart, request.requestUriEnd, refuseLineBreaks(uri))
}

export function setMaxForwards(message: Message, hops: number): Edit {
  const line = message.line(HeaderId.MaxForwards)
  if (line === undefined) return insertAt(message.headersEnd, lineText('Max-Forwards', String(hops)))
  return replace(line.valueStart, line.valueEnd, String(hops))
}

/** Replaces the value of a header, or adds the header. */
export function setValue(message: Message, id: HeaderId, value: string): Edit {
  const line = message.line(id)
  if (line === undefined) return appendLine(message, headerName(id), value)
  return replace(line.valueStart, line.valueEnd, refuseLineBreaks(value))
}

/** The whole line, or the first value of a comma list (RFC 3261, 16.7 step 3). */
export function removeTopVia(message: Message): readonly Edit[] {
  const line = message.line(HeaderId.Via)
  if (line === undefined) return none
  const { nextStart } = message.topVia
  // Behind an empty value: an empty one must not become the topmost.
  if (message.bytes[nextStart] === COMMA) return removeFirstValues(message, HeaderId.Via, 1)
  return [nextStart < 0 ? remove(line.start, line.end) : remove(line.valueStart, nextStart)]
}

/** The first `count` values, over as many lines as they take. */
export function removeTopRoutes(message: Message, count: number): readonly Edit[] {
  return removeFirstValues(message, HeaderId.Route, count)
}

export function removeFirstValues(message: Message, id: HeaderId, count: number): readonly Edit[] {
  let edits = none
  let left = count
  for (const line of message.lines) {
    if (left === 0) break
    if (line.id !== id) continue
    const next = startOfValue(message, line, left)
    const edit = next < 0 ? remove(line.start, line.end) : remove(line.valueStart, next)
    edits = [...edits, edit]
    left = next < 0 ? left - countValues(message.bytes, line) : 0
  }
  return edits
}

/** Where the value behind the first `count` begins; -1 when there are no more. */
function startOfValue({ bytes }: Message, { valueStart, valueEnd }: HeaderLine, count: number): number {
  let left = count
  for (let at = valueStart; at < valueEnd;) {
    const start = skipWhitespace(bytes, at, valueEnd)
    const stop = endOfValue(bytes, start, valueEnd)
    if (start < stop && left-- === 0) return start
    at = stop + 1
  }
  return -1
}

/** The last Route value: where a strict router put the Request-URI that was meant (RFC 3261, 16.4). */
export function removeLastRoute(message: Message): readonly Edit[] {
  const line = message.lines.findLast((candidate) => candidate.id === HeaderId.Route)
  if (line === undefined) return none
  const count = countValues(message.bytes, line)
  if (count < 2) return [remove(line.start, line.end)]
  const before = startOfValue(message, line, count - 2)
  const kept = trimEnd(message.bytes, before, endOfValue(message.bytes, before, line.valueEnd))
  return [remove(kept, line.valueEnd)]
}

export function removeLines(message: Message, id: HeaderId): Edit[] {
  return message.lines.filter((line) => line.id === id).map((line) => remove(line.start, line.end))
}

/**
 * `received` and `rport` on the topmost Via (RFC 3261, 18.2.1; RFC 3581, 4), in the order of their places. What the
 * sender wrote there himself is replaced: it would send our answer to somebody else.
 */
export function addViaParams(
  message: { readonly topVia: Via },
  params: { readonly received?: string | undefined; readonly rport?: number | undefined },
): readonly Edit[] {
  const { received, rport } = params
  if (received === undefined && rport === undefined) return none
  const via = message.topVia
  const edits: Edit[] = []
  let tail = ''
  if (received !== undefined) {
    if (via.receivedStart < 0) tail += `;received=${refuseLineBreaks(received)}`
    else edits.push(replace(via.receivedStart, via.receivedEnd, refuseLineBreaks(received)))
  }
  if (rport !== undefined) {
    if (via.rportNameEnd < 0) tail += `;rport=${rport}`
    else if (via.rportValueStart < 0) edits.push(insertAt(via.rportNameEnd, `=${rport}`))
    else edits.push(replace(via.rportValueStart, via.rportValueEnd, String(rport)))
  }
  if (tail !== '') edits.push(insertAt(via.end, tail))
  return inOrder(edits)
}
