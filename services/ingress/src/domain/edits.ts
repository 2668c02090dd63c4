import {
  addLineAbove,
  addViaParams,
  applyEdits,
  HeaderId,
  overloadOffer,
  pushVia,
  removeFirstValues,
  removeForeignOverload,
  removeLastRoute,
  removeLines,
  removeTopRoutes,
  removeTopVia,
  replaceRequestUri,
  setMaxForwards,
  type Edit,
  type SipRequest,
  type SipResponse,
} from '@siplb/sip'
import type { Way } from './affinity.ts'
import { withoutMaddr } from './own-maddr.ts'
import { isNextStrict, toStrictRouter } from './strict-next-hop.ts'

/** What a request that goes on is given. */
export interface Forwarding {
  readonly via: string
  readonly recordRoute?: string
  /** Takes the place of the topmost Route below ours: the proxy it named is gone, and another one stands in for it. */
  readonly replaceRoute?: string
  readonly received: ReceivedParams
}

export interface ReceivedParams {
  readonly received?: string
  readonly rport?: number
}

const offer = Object.entries(overloadOffer)
  .map(([name, value]) => (value === '' ? `;${name}` : `;${name}=${value}`))
  .join('')

/** Our Via of one branch. It may announce that we obey overload control (RFC 7339, 4.1). */
export function ownVia(host: string, branch: string, announcesOverload: boolean): string {
  return `SIP/2.0/UDP ${host};rport;branch=${branch}${announcesOverload ? offer : ''}`
}

/** RFC 3261, 16.6, as edits in one copy; every other octet stays as it came. */
export function forwardRequest(request: SipRequest, way: Way, forwarding: Forwarding): Buffer {
  const edits: Edit[] = [pushVia(request, forwarding.via), ...addViaParams(request, forwarding.received)]
  edits.push(setMaxForwards(request, request.maxForwards === undefined ? 70 : request.maxForwards - 1))
  if (forwarding.recordRoute !== undefined)
    edits.push(addLineAbove(request, HeaderId.RecordRoute, forwarding.recordRoute))
  edits.push(...routeEdits(request, way, forwarding.replaceRoute))
  return applyEdits(request, edits)
}

function routeEdits(request: SipRequest, way: Way, replaceRoute: string | undefined): Edit[] {
  if (replaceRoute === undefined && isNextStrict(way)) return toStrictRouter(request, way)
  if (way.isStrict) return strictEdits(request, way)
  const maddr = way.hasOwnMaddr ? [withoutMaddr(request)] : []
  if (replaceRoute === undefined) return [...maddr, ...removeTopRoutes(request, way.ownRoutes)]
  const removed = removeFirstValues(request, HeaderId.Route, way.ownRoutes + 1)
  return [addLineAbove(request, HeaderId.Route, replaceRoute), ...removed]
}

/** 16.4: the strict router before us moved the Request-URI to the end of the route set; put it back. */
function strictEdits(request: SipRequest, { routes, ownRoutes }: Way): Edit[] {
  const meant = routes.at(-1)?.text ?? ''
  const removed =
    routes.length === 1
      ? removeLines(request, HeaderId.Route)
      : [...removeLastRoute(request), ...removeTopRoutes(request, ownRoutes)]
  return [replaceRequestUri(request, meant), ...removed]
}

/** 16.7 step 3: our Via comes off, and nothing else is touched but overload feedback that a proxy left in the Via of others. */
export function relayResponse(response: SipResponse): Buffer {
  return applyEdits(response, [...removeTopVia(response), ...removeForeignOverload(response)])
}

/**
 * What the topmost Via is given (RFC 3261, 18.2.1 and RFC 3581, 4): the address it really came from, where its sender wrote another
 * one or a name, and both where he asks for his port.
 */
export function receivedParams(
  request: Pick<SipRequest, 'topVia'>,
  source: { readonly address: string; readonly port: number },
): ReceivedParams {
  const { topVia } = request
  const isSame = topVia.host === source.address || topVia.host === `[${source.address}]`
  if (topVia.rport !== undefined) return { received: source.address, rport: source.port }
  return isSame ? {} : { received: source.address }
}

/** Where a response goes (RFC 3261, 18.2.2): to the source, at the port of the Via unless `rport` asks for that of the source. */
export function replyPort(request: Pick<SipRequest, 'topVia'>, source: { readonly port: number }): number {
  return request.topVia.rport === undefined ? (request.topVia.port ?? 5060) : source.port
}
