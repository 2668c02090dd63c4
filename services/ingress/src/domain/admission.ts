import { HeaderId, isToken, type Endpoint, type SipRequest } from '@siplb/sip'
import { sideOf, type Way } from './affinity.ts'
import type { Target } from './branch.ts'
import { readFlow } from './flow-text.ts'
import type { RouteToken } from './route-token.ts'

/** What is to be done with a request that belongs to no transaction yet. */
export type Admission =
  | { readonly kind: 'answer'; readonly status: number; readonly headers?: readonly (readonly [string, string])[] }
  /** A peer asks how we are (OPTIONS to us). */
  | { readonly kind: 'health' }
  /** A new request: gets a weighted choice. */
  | { readonly kind: 'choose' }
  /** A request of a dialog from the phone's side: to the proxy of the token. */
  | { readonly kind: 'to-proxy'; readonly token: RouteToken }
  /** Along a route set, to a phone, or to a target that the configuration allows. */
  | { readonly kind: 'forward'; readonly targets: readonly Target[]; readonly from?: Origin }

/** The proxy that a new request comes from. */
export interface Origin {
  readonly pool: string
  readonly proxy: string
}

export interface Surroundings {
  readonly isDraining: boolean
  isOurs(host: string, port: number | undefined): boolean
  /** Whether we ourselves sent it: a proxy of ours has our own address. */
  isLooped(request: SipRequest): boolean
  /** The proxy that sent it: by address and port, or by `sources`, where `proxy` is unknown. */
  originOf(request: SipRequest, source: Endpoint): SourcePool | undefined
  /** Whether an address belongs to a proxy of this pool. */
  isProxyAddress(pool: string, address: string): boolean
  /** The dialog, where an open one is known by its Call-ID and tags though the request carries no token. */
  remembered(request: SipRequest): RouteToken | undefined
  /** The proxy of a pool at this address. */
  proxyAt(pool: string, address: string, port: number | undefined): string | undefined
  /** Whether this instance is the one of that name. */
  isSelf(instance: string): boolean
  /** SIP URI of another living instance of ours; undefined while it is not known. */
  fellowUri(instance: string): string | undefined
  /** Whether another instance of ours sends from there. */
  isFellow(address: string): boolean
  /** Whether another instance of ours sent it. */
  isHandedOver(request: SipRequest): boolean
}

export interface SourcePool {
  readonly pool: string
  readonly proxy: string | undefined
  readonly outbound: readonly string[]
}

const answer = (status: number, headers?: readonly (readonly [string, string])[]): Admission =>
  headers === undefined ? { kind: 'answer', status } : { kind: 'answer', status, headers }

/** Validation (RFC 3261, 16.3), in its order, and then the one place where it is decided who may go where. */
export function admit(request: SipRequest, way: Way, source: Endpoint, around: Surroundings): Admission {
  // 16.3 step 3; 11 lets an OPTIONS that has arrived at its last hop be answered: a cheap probe for our peers.
  if (request.maxForwards === 0) return request.method === 'OPTIONS' ? { kind: 'health' } : answer(483)
  // 16.3 step 4: what comes from us cannot get better by going round.
  if (around.isLooped(request)) return answer(482)
  const required = request.values(HeaderId.ProxyRequire)
  if (required.length > 0) return unsupported(required)
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

// In one line: no more octets out than came in. What is no option tag could not be sent back in a line of ours.
function unsupported(required: readonly string[]): Admission {
  return required.every(isToken) ? answer(420, [['Unsupported', required.join(', ')]]) : answer(400)
}

function isForUs(request: SipRequest, way: Way, around: Surroundings): boolean {
  const { uri } = request
  const hasNoUser = uri.user === undefined || uri.user === ''
  return request.method === 'OPTIONS' && hasNoUser && way.routes.length === 0 && around.isOurs(uri.host, uri.port)
}

function inDialog(request: SipRequest, way: Way, token: RouteToken, source: Endpoint, around: Surroundings): Admission {
  switch (sideOf(request, token)) {
    case 'phone':
      return { kind: 'to-proxy', token: { ...token, proxy: proxyInRoute(way, token, around) ?? token.proxy } }
    case 'proxy':
      // Whoever learnt a token must not make us send where he likes.
      if (!around.isProxyAddress(token.pool, source.address) && !around.isFellow(source.address)) return answer(403)
      return token.kind === 'registration'
        ? toRegistered(request, token, source, around)
        : towardsPhone(request, way, token, around)
    case undefined:
      return answer(request.to.tag === undefined ? 403 : 481)
  }
}

/**
 * A dialog that a proxy began may have come from another one than registered the phone, by another instance of ours; the route that
 * this one left says which.
 */
function proxyInRoute({ routes: [next] }: Way, token: RouteToken, around: Surroundings): string | undefined {
  if (token.kind !== 'outbound' || next === undefined) return undefined
  return around.proxyAt(token.pool, next.uri.hostname, next.uri.port)
}

/** A request that comes back along the Path of a REGISTER (RFC 3327, 5.3): to where that came from, whatever the Contact says. */
function toRegistered(request: SipRequest, token: RouteToken, source: Endpoint, around: Surroundings): Admission {
  const target = alongFlow(request, token, around)
  if (target === undefined) return answer(430) // RFC 5626, 5.3.1: the registrar may try another flow
  const { pool, proxy = token.proxy } = around.originOf(request, source) ?? token
  return { kind: 'forward', targets: [target], from: { pool, proxy } }
}

function towardsPhone(request: SipRequest, way: Way, token: RouteToken, around: Surroundings): Admission {
  const [next] = way.routes
  if (next === undefined && token.flow !== '') {
    const target = alongFlow(request, token, around)
    return target === undefined ? answer(430) : { kind: 'forward', targets: [target] }
  }
  const uri = next?.uri ?? request.uri
  if (around.isOurs(uri.host, uri.port)) return answer(482)
  return {
    kind: 'forward',
    targets: [{ kind: 'address', uri: next?.text ?? request.requestUri }],
  }
}

/** A connection belongs to the instance that took it; a datagram any of us can send, but a NAT lets only the owner's in. */
function alongFlow(request: SipRequest, token: RouteToken, around: Surroundings): Target | undefined {
  const endpoint = readFlow(token.flow)
  if (endpoint === undefined) return undefined
  const own: Target = { kind: 'flow', uri: request.requestUri, endpoint }
  if (around.isSelf(token.instance)) return own
  // Once: whoever had it takes us for its holder, and he may be as wrong as we.
  const uri = around.isHandedOver(request) ? undefined : around.fellowUri(token.instance)
  if (uri !== undefined) return { kind: 'fellow', uri }
  return endpoint.transport === 'udp' ? own : undefined
}

function newRequest(request: SipRequest, way: Way, source: Endpoint, around: Surroundings): Admission {
  // 16.3 allows no guess: a route set that we did not make could lead anywhere, and we are no open relay.
  if (way.routes.length > 0) return answer(403)
  const from = around.originOf(request, source)
  if (from !== undefined) return fromProxy(from)
  if (around.isDraining && request.method === 'INVITE') return answer(503)
  return { kind: 'choose' }
}

function fromProxy({ pool, proxy, outbound }: SourcePool): Admission {
  if (outbound.length === 0) return answer(403)
  const targets = outbound.map((uri): Target => ({ kind: 'address', uri }))
  return { kind: 'forward', targets, ...(proxy === undefined ? {} : { from: { pool, proxy } }) }
}
