import type { RouteValue, SipRequest } from '@siplb/sip'
import { readToken, tagHash, type RouteToken, type TokenKey } from './route-token.ts'

/** What a request says of where it wants to go, once our own part of its route set is taken off (RFC 3261, 16.4). */
export interface Way {
  /** How many topmost Route values are ours. */
  readonly ownRoutes: number
  /** The Route values below them. */
  readonly routes: readonly RouteValue[]
  /** A strict router before us put our Record-Route into the Request-URI; the meant one is the last Route. */
  readonly isStrict: boolean
  /** Verified; undefined when there is none, or none that we signed for this Call-ID. */
  readonly token: RouteToken | undefined
  /** Something stood where a token stands, and did not verify. */
  readonly isForged: boolean
}

export interface OwnAddresses {
  isOurs(host: string, port: number | undefined): boolean
}

export function readWay(
  request: SipRequest,
  routes: readonly RouteValue[],
  own: OwnAddresses,
  keys: readonly TokenKey[],
): Way {
  let ownRoutes = 0
  while (isOwn(routes[ownRoutes], own)) ownRoutes++
  const written = routes.slice(0, ownRoutes).flatMap(({ uri }) => uri.user ?? [])
  const { uri } = request
  const ownUser = uri.user !== undefined && own.isOurs(uri.host, uri.port) ? uri.user : undefined
  const inUri = ownUser === undefined ? undefined : readToken(ownUser, request.callId, keys)
  const token = firstToken(written, request.callId, keys) ?? inUri
  return {
    ownRoutes,
    routes: routes.slice(ownRoutes),
    isStrict: inUri !== undefined && routes.length > ownRoutes,
    token,
    isForged: token === undefined && written.length > 0,
  }
}

function isOwn(route: RouteValue | undefined, own: OwnAddresses): boolean {
  return route !== undefined && own.isOurs(route.uri.host, route.uri.port)
}

function firstToken(texts: readonly string[], callId: string, keys: readonly TokenKey[]): RouteToken | undefined {
  for (const text of texts) {
    const token = readToken(text, callId, keys)
    if (token !== undefined) return token
  }
  return undefined
}

/** Which side of the dialog a request comes from; undefined when it belongs to neither. */
export function directionOf(request: SipRequest, token: RouteToken): 'from-caller' | 'from-callee' | undefined {
  if (request.from.tag !== undefined && tagHash(request.from.tag) === token.callerTag) return 'from-caller'
  if (request.to.tag !== undefined && tagHash(request.to.tag) === token.callerTag) return 'from-callee'
  return undefined
}
