import { HeaderId, type SipRequest } from '@siplb/sip'
import type { Target } from './branch.ts'
import { directionOf, type Way } from './affinity.ts'
import type { RouteToken } from './route-token.ts'

/** What is to be done with a request that belongs to no transaction yet. */
export type Admission =
  | { readonly kind: 'answer'; readonly status: number; readonly headers?: readonly (readonly [string, string])[] }
  /** A peer asks how we are (OPTIONS to us). */
  | { readonly kind: 'health' }
  /** A new request: gets a weighted choice. */
  | { readonly kind: 'choose' }
  /** A request of a dialog from the caller's side: to the proxy of the token. */
  | { readonly kind: 'to-proxy'; readonly token: RouteToken }
  /** Along a route set, or to a target that the configuration allows. */
  | { readonly kind: 'forward'; readonly targets: readonly Target[] }

export interface Surroundings {
  readonly isDraining: boolean
  isOurs(host: string, port: number | undefined): boolean
  /** Whether we ourselves sent it: a proxy of ours has our own address. */
  isLooped(request: SipRequest): boolean
  /** The pool that a source is a proxy of; by address and port, or by `sources`. */
  poolOfSource(
    address: string,
    port: number,
  ): { readonly pool: string; readonly outbound: readonly string[] } | undefined
  /** Whether an address belongs to a proxy of this pool. */
  isProxyAddress(pool: string, address: string): boolean
  /** The dialog, where an open one is known by its Call-ID and tags though the request carries no token. */
  remembered(request: SipRequest): RouteToken | undefined
}

const answer = (status: number, headers?: readonly (readonly [string, string])[]): Admission =>
  headers === undefined ? { kind: 'answer', status } : { kind: 'answer', status, headers }

/** Validation (RFC 3261, 16.3), in its order, and then the one place where it is decided who may go where. */
export function admit(
  request: SipRequest,
  way: Way,
  source: { readonly address: string; readonly port: number },
  around: Surroundings,
): Admission {
  // 16.3 step 3; 11 lets an OPTIONS that has arrived at its last hop be answered: a cheap probe for our peers.
  if (request.maxForwards === 0) return request.method === 'OPTIONS' ? { kind: 'health' } : answer(483)
  // 16.3 step 4: what comes from us cannot get better by going round.
  if (around.isLooped(request)) return answer(482)
  const required = request.values(HeaderId.ProxyRequire)
  if (required.length > 0) return answer(420, [['Unsupported', required.join(', ')]]) // in one line: no more octets out than came in
  if (isForUs(request, way, around)) return { kind: 'health' }
  // RFC 5393, 5.3.3: not even one more may have it.
  if (Number(request.first(HeaderId.MaxBreadth) ?? 1) === 0) return answer(440)
  const token = way.token ?? (request.to.tag === undefined ? undefined : around.remembered(request))
  if (token !== undefined) return inDialog(request, way, token, source, around)
  if (way.isForged) return answer(403)
  // Never balanced at random: the proxy of this dialog is not known, and any other one would refuse it.
  if (request.to.tag !== undefined) return answer(481)
  return newRequest(request, way, source, around)
}

function isForUs(request: SipRequest, way: Way, around: Surroundings): boolean {
  const { uri } = request
  const hasNoUser = uri.user === undefined || uri.user === ''
  return request.method === 'OPTIONS' && hasNoUser && way.routes.length === 0 && around.isOurs(uri.host, uri.port)
}

function inDialog(
  request: SipRequest,
  way: Way,
  token: RouteToken,
  source: { readonly address: string },
  around: Surroundings,
): Admission {
  switch (directionOf(request, token)) {
    case 'from-caller':
      return { kind: 'to-proxy', token }
    case 'from-callee':
      // Whoever learnt a token must not make us send where he likes.
      if (!around.isProxyAddress(token.pool, source.address)) return answer(403)
      return towardsCaller(request, way, around)
    case undefined:
      return answer(request.to.tag === undefined ? 403 : 481)
  }
}

function towardsCaller(request: SipRequest, way: Way, around: Surroundings): Admission {
  const [next] = way.routes
  const uri = next?.uri ?? request.uri
  if (around.isOurs(uri.host, uri.port)) return answer(482)
  return {
    kind: 'forward',
    targets: [{ kind: 'address', uri: next?.text ?? request.requestUri }],
  }
}

function newRequest(
  request: SipRequest,
  way: Way,
  source: { readonly address: string; readonly port: number },
  around: Surroundings,
): Admission {
  // 16.3 allows no guess: a route set that we did not make could lead anywhere, and we are no open relay.
  if (way.routes.length > 0) return answer(403)
  const from = around.poolOfSource(source.address, source.port)
  if (from !== undefined) {
    if (from.outbound.length === 0) return answer(403)
    return { kind: 'forward', targets: from.outbound.map((uri) => ({ kind: 'address', uri })) }
  }
  if (around.isDraining && request.method === 'INVITE') return answer(503)
  return { kind: 'choose' }
}
