import {
  addLineAbove,
  addViaParams,
  appendLine,
  applyEdits,
  defaultPort,
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
  type Transport,
  type Via,
} from '@siplb/sip'
import type { Way } from './affinity.ts'
import { withoutMaddr } from './own-maddr.ts'
import { isNextStrict, toStrictRouter } from './strict-next-hop.ts'

/** What a request that goes on is given. */
export interface Forwarding {
  readonly via: string
  /** The topmost first. */
  readonly recordRoutes?: readonly string[]
  /** Of a REGISTER (RFC 3327, 5.2). */
  readonly path?: string
  /** To another instance of ours: with our own Routes left on it. */
  readonly keepsRoutes?: boolean
  /** On a stream nothing else says where the body ends (RFC 3261, 20.14). */
  readonly isStream?: boolean
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
export function ownVia(
  { transport, host }: { readonly transport: Transport; readonly host: string },
  branch: string,
  announcesOverload: boolean,
): string {
  return `SIP/2.0/${transport.toUpperCase()} ${host};rport;branch=${branch}${announcesOverload ? offer : ''}`
}

/** RFC 3261, 16.6, as edits in one copy; every other octet stays as it came. */
export function forwardRequest(request: SipRequest, way: Way, forwarding: Forwarding): Buffer {
  const edits: Edit[] = [pushVia(request, forwarding.via), ...addViaParams(request, forwarding.received)]
  edits.push(setMaxForwards(request, request.maxForwards === undefined ? 70 : request.maxForwards - 1))
  const { recordRoutes = [], path, keepsRoutes = false, isStream = false } = forwarding
  for (const recordRoute of recordRoutes) edits.push(addLineAbove(request, HeaderId.RecordRoute, recordRoute))
  if (path !== undefined) edits.push(addLineAbove(request, HeaderId.Path, path))
  if (!keepsRoutes) edits.push(...routeEdits(request, way, forwarding.replaceRoute))
  if (isStream) edits.push(...tellLength(request))
  return applyEdits(request, edits)
}

const none: readonly Edit[] = []

function tellLength(message: SipRequest | SipResponse): readonly Edit[] {
  if (message.line(HeaderId.ContentLength) !== undefined) return none
  return [appendLine(message, 'Content-Length', String(message.bytes.length - message.bodyStart))]
}

function routeEdits(request: SipRequest, way: Way, replaceRoute: string | undefined): readonly Edit[] {
  if (replaceRoute === undefined && isNextStrict(way)) return toStrictRouter(request, way)
  if (way.isStrict) return strictEdits(request, way)
  if (replaceRoute === undefined) {
    const removed = removeTopRoutes(request, way.ownRoutes)
    return way.hasOwnMaddr ? [withoutMaddr(request), ...removed] : removed
  }
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
export function relayResponse(response: SipResponse, isStream = false): Buffer {
  const top = removeTopVia(response)
  const foreign = removeForeignOverload(response)
  const edits = foreign.length === 0 ? top : [...top, ...foreign]
  return applyEdits(response, isStream ? [...edits, ...tellLength(response)] : edits)
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
  if (topVia.rport !== undefined) return { received: source.address, rport: source.port }
  const isSame = topVia.host === source.address || topVia.host === `[${source.address}]`
  return isSame ? {} : { received: source.address }
}

/** Where a response goes (RFC 3261, 18.2.2): to the source, at the port of the Via unless `rport` asks for that of the source. */
export function replyPort({ topVia }: Pick<SipRequest, 'topVia'>, source: { readonly port: number }): number {
  return topVia.rport === undefined ? sentByPort(topVia) : source.port
}

/** The port that a Via names; that of its transport where it names none. */
export function sentByPort({ port, transport }: Pick<Via, 'port' | 'transport'>): number {
  return port ?? defaultPort(transport)
}
