import type { Decision } from '@siplb/contracts'
import type { IngressContext } from './context.ts'

/** The decisions of a call, as asked for on the bus; undefined where another instance, or nobody, has them. */
export function explain(ctx: IngressContext, callId: string): { decisions: Decision[] } | undefined {
  const found = ctx.decisions.find(callId, ctx.now())
  if (found.length === 0) return undefined
  const wallClock = Date.now() - ctx.now()
  const decisions = found.slice(-64).map(({ method, at, source, pool, epoch, seq, candidates, tried }) => ({
    ...{ callId, method, source, pool, epoch, seq },
    ingress: ctx.bus.instance,
    at: new Date(wallClock + at).toISOString(),
    candidates: [...candidates],
    tried: [...tried],
  }))
  return { decisions }
}
