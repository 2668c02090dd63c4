import { HeaderId, type SipResponse } from '@siplb/sip'

/** Longer is a mistake rather than maintenance. */
const LONGEST_S = 3600

/** How long a proxy wants to be left alone (RFC 3261, 20.33); undefined where it does not say so in a 503. */
export function retryAfterMs(response: Pick<SipResponse, 'status' | 'first'>): number | undefined {
  if (response.status !== 503) return undefined
  const seconds = Number.parseInt(response.first(HeaderId.RetryAfter) ?? '', 10)
  return seconds > 0 ? Math.min(seconds, LONGEST_S) * 1000 : undefined
}
