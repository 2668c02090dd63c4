import { readOverload, type SipResponse } from '@siplb/sip'
import type { Target } from '../domain/branch.ts'
import { retryAfterMs } from '../domain/retry-after.ts'
import type { IngressContext } from './context.ts'

/** Whether we obey overload control towards this target; towards callers we do not. */
export function obeysOverload({ config }: IngressContext, target: Target): boolean {
  return target.kind === 'proxy' && config.pools[target.pool]?.overload.control === true
}

/** What a proxy says of its own load in any response: overload control in our Via (RFC 7339), and Retry-After. */
export function readFeedback(ctx: IngressContext, target: Target, response: SipResponse): void {
  if (target.kind !== 'proxy') return
  const { pool, proxy } = target
  const ms = retryAfterMs(response)
  if (ms !== undefined) ctx.trafficOf(pool).retryAfter(proxy, ms)
  if (!obeysOverload(ctx, target)) return
  const overload = readOverload(response.topVia)
  if (overload === undefined) return
  if (overload === 'malformed') return ctx.metrics.overloadIgnored.inc({ why: 'malformed' })
  const { control, news } = ctx.overloadOf(pool)
  if (control.observe(proxy, overload, ctx.now())) news.heard(proxy, overload, ctx.now())
  else ctx.metrics.overloadIgnored.inc({ why: 'old' })
}
