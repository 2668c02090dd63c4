import type { SipResponse } from '@siplb/sip'
import { relayResponse } from '../domain/edits.ts'
import type { IngressContext } from './context.ts'

/** A response of a branch as it goes to who asked. Undefined: it has our Via alone, and so nobody to go to (RFC 3261, 16.7 step 3). */
export function relayed({ metrics }: IngressContext, response: SipResponse, isReliable: boolean): Buffer | undefined {
  if (response.topVia.hasMore) return relayResponse(response, isReliable)
  metrics.dropped.inc({ reason: 'response-for-us' })
  return undefined
}
