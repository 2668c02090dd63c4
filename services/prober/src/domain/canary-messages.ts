import {
  buildRequest,
  HeaderId,
  parseNameAddrText,
  parseRoutes,
  parseUri,
  type RequestSpec,
  type RouteValue,
  type SipRequest,
  type SipResponse,
} from '@siplb/sip'
import { logicalUri, sentBy, viaParams, type LocalAddress, type ProbeIds } from './probe-request.ts'

/** The INVITE of a canary call to `user` at the proxy. Its offer is complete and asks for no media (RFC 3264, 5.1). */
export function canaryInvite(
  proxyUri: string,
  user: string,
  from: string,
  local: LocalAddress,
  ids: ProbeIds,
): RequestSpec {
  const uri = withUser(proxyUri, user)
  return {
    method: 'INVITE',
    uri,
    via: { transport: local.transport.toUpperCase(), sentBy: sentBy(local), branch: ids.branch, params: viaParams },
    from: `<${from}>;tag=${ids.fromTag}`,
    to: `<${logicalUri(uri)}>`,
    callId: ids.callId,
    cseq: 1,
    contact: contactAt(proxyUri, local),
    headers: [
      ['User-Agent', 'siplb-prober'],
      ['Allow', 'INVITE, ACK, CANCEL, BYE'],
      ['Accept', 'application/json, application/sdp'],
      ['Content-Type', 'application/sdp'],
    ],
    body: Buffer.from(offer(local)),
  }
}

/** ACK of a 2xx and BYE: requests of the dialog that it made (RFC 3261, 13.2.2.4 and 15.1.1), each with a branch of its own. */
export function dialogRequest(
  invite: SipRequest,
  response: SipResponse,
  method: 'ACK' | 'BYE',
  branch: string,
): Buffer {
  const { uri, routes } = wayOf(invite, response)
  const { topVia, callId, cseq } = invite
  return buildRequest({
    method,
    uri,
    via: { transport: topVia.transport.toUpperCase(), sentBy: topVia.sentBy, branch, params: { rport: '' } },
    from: invite.first(HeaderId.From) ?? '',
    to: response.first(HeaderId.To) ?? '',
    callId,
    cseq: method === 'ACK' ? cseq.number : cseq.number + 1,
    headers: routes.length === 0 ? [] : [['Route', routes.map((route) => `<${route}>`).join(', ')]],
  })
}

// RFC 3261, 12.1.2 and 12.2.1.1: the Record-Route in reverse; a strict router at its head wants itself in the Request-URI.
// Of a 2xx that does not say its way the best is made: without an ACK its call would stay.
function wayOf(invite: SipRequest, response: SipResponse): { uri: string; routes: readonly string[] } {
  const contact = parseNameAddrText(response.values(HeaderId.Contact)[0] ?? '')?.uri
  const target = contact !== undefined && parseUri(contact)?.host ? contact : invite.requestUri
  const set: readonly RouteValue[] = parseRoutes(response, HeaderId.RecordRoute)?.toReversed() ?? []
  const [first, ...rest] = set
  if (first === undefined || first.isLoose) return { uri: target, routes: set.map(({ text }) => text) }
  return { uri: first.text, routes: [...rest.map(({ text }) => text), target] }
}

// RFC 3261, 8.1.1.8: sips where the Request-URI is.
function contactAt(proxyUri: string, local: LocalAddress): string {
  if (/^sips:/i.test(proxyUri)) return `<sips:siplb@${sentBy(local)}>`
  return `<sip:siplb@${sentBy(local)}${local.transport === 'udp' ? '' : `;transport=${local.transport}`}>`
}

function withUser(proxyUri: string, user: string): string {
  const parsed = parseUri(proxyUri)
  if (parsed === undefined) return proxyUri
  const port = parsed.port === undefined ? '' : `:${parsed.port}`
  const params = [...parsed.params].map(([name, value]) => (value === '' ? `;${name}` : `;${name}=${value}`))
  return `${parsed.scheme}:${user}@${parsed.host}${port}${params.join('')}`
}

// Port 9 is nobody's: 0 would take the stream back (RFC 3264, 5.1).
function offer({ address }: LocalAddress): string {
  const net = `IN ${address.includes(':') ? 'IP6' : 'IP4'} ${address}`
  const lines = ['v=0', `o=siplb 1 1 ${net}`, 's=-', `c=${net}`, 't=0 0', 'm=audio 9 RTP/AVP 0', 'a=inactive', '']
  return lines.join('\r\n')
}
