import type { SipResponse } from '@siplb/sip'
import { relayResponse } from '../domain/edits.ts'
import type { IngressContext } from './context.ts'
import type { ServerSide } from './server-transaction.ts'

/** Gives a response of a branch to who asked. False: it has our Via alone, and so nobody to go to (RFC 3261, 16.7 step 3). */
export function relay(
  { metrics }: IngressContext,
  server: ServerSide,
  response: SipResponse,
  isReliable: boolean,
): boolean {
  if (!response.topVia.hasMore) {
    metrics.dropped.inc({ reason: 'response-for-us' })
    return false
  }
  server.respond(response, relayResponse(response, isReliable))
  return true
}
