import { HeaderId, type SipRequest } from '@siplb/sip'

/**
 * Whether a program that looks for holes calls itself so. Any answer would tell it that here is something to come back to.
 *
 * @param agents in lower case
 */
export function isScanner(request: SipRequest, agents: readonly string[]): boolean {
  if (agents.length === 0) return false
  const name = request.first(HeaderId.UserAgent)?.toLowerCase()
  return name !== undefined && agents.some((agent) => name.includes(agent))
}
