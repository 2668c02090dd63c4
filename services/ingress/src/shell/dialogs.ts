import { HeaderId, hostPort, parseUri, type SipRequest, type SipResponse } from '@siplb/sip'
import type { Way } from '../domain/affinity.ts'
import type { Target } from '../domain/branch.ts'
import { dialogName } from '../domain/dialog-leases.ts'
import { tagHash, type RouteToken } from '../domain/route-token.ts'
import type { IngressContext } from './context.ts'

/** Keeps the count of dialogs by the final responses that go to callers. */
export function noteDialog(
  ctx: IngressContext,
  method: string,
  response: SipResponse,
  target: Target,
  token: RouteToken | undefined,
): void {
  const { from, to } = response
  if (from.tag === undefined || to.tag === undefined) return
  const key = dialogName(response.callId, from.tag, to.tag)
  const isSuccess = response.status < 300
  if (ctx.isDraining && isSuccess && method === 'INVITE') ctx.awaitedAcks.taken(key, ctx.now())
  if (method === 'BYE' && (isSuccess || response.status === 481)) endDialog(ctx, key, token)
  else if (isSuccess && token === undefined && method === 'INVITE' && target.kind === 'proxy') {
    const { pool, proxy } = target
    ctx.dialogs.open(key, { pool, proxy, callerTag: tagHash(from.tag) }, ctx.now(), sessionExpiresS(response))
  } else if (isSuccess && (method === 'INVITE' || method === 'UPDATE')) renew(ctx, key, response)
}

function renew(ctx: IngressContext, key: string, response: SipResponse): void {
  const lease = ctx.dialogs.find(key)
  if (lease !== undefined) ctx.dialogs.open(key, lease, ctx.now(), sessionExpiresS(response))
}

/** The ingress that set a dialog up counts it; one that sees it end tells that one. */
function endDialog(ctx: IngressContext, key: string, token: RouteToken | undefined): void {
  if (ctx.dialogs.find(key) !== undefined || token === undefined) return ctx.dialogs.close(key)
  if (token.instance !== ctx.self.instance || token.worker !== ctx.self.worker) {
    ctx.dialogsEnded(token.pool).push({ ingress: token.instance, dialog: key })
  }
}

function sessionExpiresS(response: SipResponse): number | undefined {
  const seconds = Number.parseInt(response.first(HeaderId.SessionExpires) ?? '', 10)
  return seconds >= 90 && seconds <= 86_400 ? seconds : undefined
}

/** What a token would say of a request of an open dialog that carries none (a user agent that loses route sets). */
export function rememberedDialog(ctx: IngressContext, request: SipRequest): RouteToken | undefined {
  const { from, to } = request
  if (from.tag === undefined || to.tag === undefined) return undefined
  const lease = ctx.dialogs.find(dialogName(request.callId, from.tag, to.tag))
  if (lease === undefined) return undefined
  const { pool, proxy, callerTag } = lease
  return { kind: 'inbound', pool, proxy, callerTag, ...ctx.self, flow: '' }
}

/**
 * When another proxy takes the place of the dialog's own, the Route that names the own one would lead to where nobody is: the new
 * one takes its place there too.
 */
export function standInRoute(ctx: IngressContext, token: RouteToken, target: Target, way: Way): string | undefined {
  if (target.kind !== 'proxy' || target.proxy === token.proxy) return undefined
  const own = parseUri(ctx.tables.get(token.pool)?.find(token.proxy)?.uri ?? '')
  const standIn = parseUri(target.uri)
  const [next] = way.routes
  if (own === undefined || standIn === undefined || next === undefined) return undefined
  const named = hostPort(next.uri)
  const meant = hostPort(own)
  return named.host === meant.host && named.port === meant.port ? `<sip:${hostText(standIn)};lr>` : undefined
}

function hostText(uri: { readonly host: string; readonly port: number | undefined }): string {
  return uri.port === undefined ? uri.host : `${uri.host}:${uri.port}`
}
