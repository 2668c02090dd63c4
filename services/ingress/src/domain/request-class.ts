import { HeaderId, type SipRequest } from '@siplb/sip'

/** How much a new request matters when not all can be taken. */
export type RequestClass = 'untrusted' | 'trusted' | 'emergency'

/** An emergency service (RFC 5031), or a request that says its priority (RFC 4412); else by who sent it. */
export function classOf(request: Pick<SipRequest, 'requestUri' | 'line'>, isTrusted: boolean): RequestClass {
  const isEmergency = isSos(request.requestUri) || request.line(HeaderId.ResourcePriority) !== undefined
  return isEmergency ? 'emergency' : isTrusted ? 'trusted' : 'untrusted'
}

const SOS = 'urn:service:sos'

function isSos(requestUri: string): boolean {
  if (requestUri.slice(0, SOS.length).toLowerCase() !== SOS) return false
  return requestUri.length === SOS.length || requestUri.charAt(SOS.length) === '.'
}
