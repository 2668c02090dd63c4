import { paramsOf, type ParamCursor } from '../header/param-cursor.ts'
import { parseVia } from '../header/via.ts'
import type { Via } from '../header/via.ts'
import type { Edit } from './edit.ts'
import { HeaderId } from './header-id.ts'
import type { HeaderLine, Message } from './message.ts'

const none: readonly Edit[] = []

/**
 * Takes overload feedback off every Via below the topmost one: it is hop by hop (RFC 7339, 5.1), and whoever reads it there would
 * think that it came from us. A bare `oc`, with the algorithms that its owner knows, is his own announcement, and stays.
 */
export function removeForeignOverload(message: Message): readonly Edit[] {
  if (!message.topVia.hasMore) return none
  let edits = none
  let isTop = true
  for (const line of message.lines) {
    if (line.id !== HeaderId.Via) continue
    if (!mayHoldOverload(message.bytes, line)) {
      isTop = false
      continue
    }
    for (let at = line.valueStart; at >= 0;) {
      const via = parseVia(message.bytes, at, line.valueEnd)
      // What is no Via is not ours to judge: its owner will.
      if (via === undefined) break
      if (!isTop) edits = [...edits, ...removals(via)]
      isTop = false
      at = via.nextStart
    }
  }
  return edits
}

// One look at the octets: nearly no Via has any.
function mayHoldOverload(bytes: Buffer, { valueStart, valueEnd }: HeaderLine): boolean {
  for (let at = valueStart; at < valueEnd; at++) {
    if (((bytes[at] ?? 0) | 0x20) === 0x6f && ((bytes[at + 1] ?? 0) | 0x20) === 0x63) return true
  }
  return false
}

function removals(via: Via): readonly Edit[] {
  const cursor = paramsOf(via.bytes, via.paramsStart, via.end)
  const found: Edit[] = []
  let isFeedback = false
  let before = via.paramsStart
  while (cursor.next()) {
    const end = cursor.valueStart < 0 ? cursor.nameEnd : cursor.valueEnd
    if (isOverload(cursor)) {
      found.push({ at: before, remove: end - before, insert: '' })
      isFeedback ||= tellsSomething(cursor)
    }
    before = end
  }
  return isFeedback ? found : none
}

function isOverload(cursor: ParamCursor): boolean {
  return cursor.isNamed('oc') || cursor.isNamed('oc-algo') || tellsSomething(cursor)
}

function tellsSomething(cursor: ParamCursor): boolean {
  return (cursor.isNamed('oc') && cursor.valueStart >= 0) || cursor.isNamed('oc-validity') || cursor.isNamed('oc-seq')
}
