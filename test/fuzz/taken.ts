import { scan, type SipRequest, type SipResponse } from '@siplb/sip'
import { must } from './plain.ts'

/** What we sent may have grown over the limits of what we take in. */
export const wide = { datagram: 1e6, headerLine: 1e6, headerLines: 1e6, whitespaceRun: 1e6 }

/** A message of our own making, read again. */
export function taken(bytes: Buffer | undefined, kind: 'request'): SipRequest
export function taken(bytes: Buffer | undefined, kind: 'response'): SipResponse
export function taken(bytes: Buffer | undefined, kind: string): unknown {
  const message = scan(bytes ?? Buffer.alloc(0), wide)
  must(
    message.kind === kind,
    `what we make is a ${kind} to us, not ${message.kind === 'malformed' ? message.problem : message.kind}`,
  )
  return message
}
