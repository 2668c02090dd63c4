import type { RouteValue, SipRequest } from '@siplb/sip'
import { tagHash, type RouteToken } from './route-token.ts'

/** What a request says of where it wants to go, once our own part of its route set is taken off (RFC 3261, 16.4). */
export interface Way {
  /** How many topmost Route values are ours. */
  readonly ownRoutes: number
  /** The Route values below them. */
  readonly routes: readonly RouteValue[]
  /** A strict router before us put our Record-Route into the Request-URI; the meant one is the last Route. */
  readonly isStrict: boolean
  /** The Request-URI says by `maddr` that it means us (RFC 3261, 16.4). */
  readonly hasOwnMaddr: boolean
  /** Verified; undefined when there is none, or none that we signed for this Call-ID. */
  readonly token: RouteToken | undefined
  /** Something stood where a token stands, and did not verify. */
  readonly isForged: boolean
}

export interface OwnAddresses {
  isOurs(host: string, port: number | undefined): boolean
}

export interface Tokens {
  /** Undefined when it is not a token of ours for this Call-ID. */
  read(text: string, callId: string): RouteToken | undefined
}

export function readWay(
  { uri, callId, routes }: Pick<SipRequest, 'uri' | 'callId' | 'routes'>,
  own: OwnAddresses,
  tokens: Tokens,
): Way {
  const read = (user: string | undefined) => (user === undefined ? undefined : tokens.read(user, callId))
  let ownRoutes = 0
  let token: RouteToken | undefined
  let hasUser = false
  for (const { uri: route } of routes) {
    const found = read(route.user)
    // A Route of another instance has its address, and a token that verifies here.
    if (found === undefined && !own.isOurs(route.host, route.port)) break
    token ??= found
    hasUser ||= route.user !== undefined
    ownRoutes++
  }
  const inUri = read(uri.user)
  return {
    ownRoutes,
    routes: ownRoutes === 0 ? routes : routes.slice(ownRoutes),
    isStrict: inUri !== undefined && routes.length > ownRoutes,
    hasOwnMaddr: inUri === undefined && uri.params.size > 0 && own.isOurs(uri.params.get('maddr') ?? '', uri.port),
    token: token ?? inUri,
    isForged: token === undefined && inUri === undefined && hasUser,
  }
}

/** Which side of its dialog a request comes from; undefined when it belongs to neither. A registration's come from its proxies. */
export function sideOf(request: SipRequest, token: RouteToken): 'phone' | 'proxy' | undefined {
  if (token.kind === 'registration') return 'proxy'
  const [caller, callee] = token.kind === 'inbound' ? (['phone', 'proxy'] as const) : (['proxy', 'phone'] as const)
  if (request.from.tag !== undefined && tagHash(request.from.tag) === token.callerTag) return caller
  if (request.to.tag !== undefined && tagHash(request.to.tag) === token.callerTag) return callee
  return undefined
}
