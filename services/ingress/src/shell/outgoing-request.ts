import type { Origin } from '../domain/admission.ts'
import type { Target } from '../domain/branch.ts'
import { forwardRequest, ownVia } from '../domain/edits.ts'
import { flowText } from '../domain/flow-text.ts'
import { mayMakeDialog } from '../domain/methods.ts'
import { recordRoutes, routeTo } from '../domain/record-route.ts'
import { tagHash, type RouteToken } from '../domain/route-token.ts'
import type { IngressContext } from './context.ts'
import { standInRoute } from './dialogs.ts'
import type { Link } from './link.ts'
import { obeysOverload } from './overload-feedback.ts'
import type { Arrival } from './arrival.ts'

/** A request that goes on, and what was read from it. */
export interface Onward {
  readonly arrival: Arrival
  /** Of the dialog that the request belongs to. */
  readonly token: RouteToken | undefined
  /** The proxy that a new request comes from. */
  readonly from?: Origin
}

/** The request as it goes out to a target by this link, for one branch (RFC 3261, 16.6). */
export function writeRequest(
  ctx: IngressContext,
  onward: Onward,
  target: Target,
  link: Link,
  branchId: string,
): Buffer {
  const { arrival, token } = onward
  const { request, local, received, way } = arrival
  const far = ctx.sideTowards(link.endpoint, local)
  const path = pathOf(ctx, onward, target, link)
  const replaceRoute = token === undefined ? undefined : standInRoute(ctx, token, target, way)
  // Whatever the socket is that it goes by, the Via names its transport (18.1.1).
  return forwardRequest(request, way, {
    via: ownVia({ ...far, transport: link.endpoint.transport }, branchId, obeysOverload(ctx, target)),
    received,
    recordRoutes: recordRoutesOf(ctx, onward, target, link),
    keepsRoutes: target.kind === 'fellow',
    isStream: link.endpoint.transport !== 'udp',
    ...(path === undefined ? {} : { path }),
    ...(replaceRoute === undefined ? {} : { replaceRoute }),
  })
}

function recordRoutesOf(ctx: IngressContext, onward: Onward, target: Target, link: Link): string[] {
  const { request, local } = onward.arrival
  const made =
    ctx.config.ingress.recordRoute && mayMakeDialog(request.method) ? dialogToken(ctx, onward, target) : undefined
  const text = made === undefined ? undefined : ctx.tokens.write(made, request.callId)
  if (text === undefined) return []
  const far = ctx.sideTowards(link.endpoint, local)
  return recordRoutes(text, ctx.sideOf(local), far, request.uri.scheme === 'sips')
}

/** Undefined for a request of a dialog that is known already, and for what another instance will take on. */
function dialogToken(ctx: IngressContext, { arrival, token, from }: Onward, target: Target): RouteToken | undefined {
  const callerTag = tagHash(arrival.request.from.tag ?? '')
  const common = { callerTag, ...ctx.self }
  if (target.kind === 'proxy' && token === undefined) {
    const { pool, proxy } = target
    return { kind: 'inbound', pool, proxy, ...common, flow: arrival.isReliable ? flowText(arrival.source) : '' }
  }
  if (from === undefined || target.kind === 'fellow') return undefined
  return { kind: 'outbound', ...from, ...common, flow: target.kind === 'flow' ? flowText(target.endpoint) : '' }
}

/** RFC 3327: the way back to the phone that registers, by the connection or address that it has now. */
function pathOf(ctx: IngressContext, { arrival, token }: Onward, target: Target, link: Link): string | undefined {
  const { request, local, source } = arrival
  if (request.method !== 'REGISTER' || target.kind !== 'proxy' || token !== undefined) return undefined
  const { pool, proxy } = target
  if (ctx.config.pools[pool]?.path !== true) return undefined
  const made: RouteToken = {
    kind: 'registration',
    pool,
    proxy,
    callerTag: 0,
    ...ctx.self,
    flow: flowText(source),
  }
  const text = ctx.tokens.write(made, '')
  return text === undefined
    ? undefined
    : routeTo(text, ctx.sideTowards(link.endpoint, local), request.uri.scheme === 'sips')
}
