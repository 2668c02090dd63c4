import type { NameAddr } from '../header/name-addr.ts'
import { HeaderId } from './header-id.ts'
import { firstLine } from './lines.ts'
import type { HeaderLine } from './message.ts'
import { isDigit, octetAt } from './octets.ts'

const PREFIX = 'sl'
const LENGTH = PREFIX.length + 16

/**
 * To tag that is the same for every copy of a request and for the ACK of our answer (RFC 3261, 8.2.7), so that an ACK
 * without a transaction can be known as one for an answer of ours. Not a secret.
 */
export function statelessTag(request: { readonly bytes: Buffer; readonly lines: readonly HeaderLine[] }): string {
  const { bytes } = request
  const from = firstLine(request, HeaderId.From)
  const callId = firstLine(request, HeaderId.CallId)
  const cseq = firstLine(request, HeaderId.CSeq)
  let numberEnd = cseq.valueStart
  while (isDigit(bytes[numberEnd])) numberEnd++
  let hash = fnv(fnvStart, bytes, from.valueStart, from.valueEnd)
  hash = fnv(hash, bytes, callId.valueStart, callId.valueEnd)
  const second = fnv(hash ^ 0x5bd1e995, bytes, callId.valueStart, callId.valueEnd)
  return `${PREFIX}${hex(fnv(hash, bytes, cseq.valueStart, numberEnd))}${hex(fnv(second, bytes, cseq.valueStart, numberEnd))}`
}

/** Whether its To tag is the one of such an answer. */
export function hasStatelessTag(request: Parameters<typeof statelessTag>[0] & { readonly to: NameAddr }): boolean {
  const { tag } = request.to
  return tag?.length === LENGTH && tag.startsWith(PREFIX) && tag === statelessTag(request)
}

// FNV-1a, 32 bits: short, and spread well enough for a tag.
const fnvStart = 0x811c9dc5
function fnv(hash: number, bytes: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ octetAt(bytes, at), 0x01000193)
  return hash
}
const hex = (hash: number): string => (hash >>> 0).toString(16).padStart(8, '0')
