import { scan } from '@siplb/sip'
import type { Malformed, Scanned, SipRequest, SipResponse } from '@siplb/sip'

/** Octets of a message from its lines; the last entry is the body when there is an empty line before it. */
export function octets(...lines: string[]): Buffer {
  return Buffer.from(lines.join('\r\n'), 'latin1')
}

export const inviteLines = [
  'INVITE sip:bob@example.com SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.1:5070;rport;branch=z9hG4bK776asdhds',
  'Max-Forwards: 70',
  'From: "Alice" <sip:alice@example.com>;tag=1928301774',
  'To: Bob <sip:bob@example.com>',
  'Call-ID: a84b4c76e66710@192.0.2.1',
  'CSeq: 314159 INVITE',
  'Contact: <sip:alice@192.0.2.1:5070>',
  'Content-Length: 4',
] as const

const inviteBody = 'v=0\n'

/** The INVITE above; each change replaces the line of that name, adds one that is new, or takes it away (''). */
export function invite(changes: Readonly<Record<string, string>> = {}): Buffer {
  const lines = inviteLines.map((line) => ({ name: line.split(':')[0] ?? '', line: line as string }))
  for (const [name, value] of Object.entries(changes)) {
    const at = lines.findIndex((entry) => (name === 'start' ? entry.line.includes(' SIP/2.0') : entry.name === name))
    const entry = { name, line: name === 'start' ? value : `${name}: ${value}` }
    if (at < 0) lines.push(entry)
    else if (value === '') lines.splice(at, 1)
    else lines[at] = entry
  }
  return octets(...lines.map((entry) => entry.line), '', inviteBody)
}

const kindOf = (message: Scanned): string => (message.kind === 'malformed' ? message.problem : message.kind)

export function asRequest(bytes: Buffer): SipRequest {
  const message = scan(bytes)
  if (message.kind !== 'request') throw new Error(`not a request but ${kindOf(message)}`)
  return message
}

function asResponse(bytes: Buffer): SipResponse {
  const message = scan(bytes)
  if (message.kind !== 'response') throw new Error(`not a response but ${kindOf(message)}`)
  return message
}

export function asMalformed(bytes: Buffer): Malformed {
  const message = scan(bytes)
  if (message.kind !== 'malformed') throw new Error(`not malformed: ${message.kind}`)
  return message
}

/** A response to the INVITE above, as it comes back to us. */
export function answer(status: number, cseq = '314159 INVITE'): SipResponse {
  return asResponse(
    octets(
      `SIP/2.0 ${status} Whatever`,
      'Via: SIP/2.0/UDP 192.0.2.1:5070;rport;branch=z9hG4bK776asdhds',
      'From: "Alice" <sip:alice@example.com>;tag=1928301774',
      'To: Bob <sip:bob@example.com>;tag=callee',
      'Call-ID: a84b4c76e66710@192.0.2.1',
      `CSeq: ${cseq}`,
      'Content-Length: 0',
      '',
      '',
    ),
  )
}
