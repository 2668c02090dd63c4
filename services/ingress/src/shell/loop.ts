import { clientKeyOf, HeaderId, parseVia, readBranch, type SipRequest } from '@siplb/sip'
import type { IngressContext } from './context.ts'

/**
 * Whether a request comes back, with nothing changed that our choice goes by, to the pool that it was given to before: then it would
 * go round until its hops are used up (RFC 3261, 16.3 step 4). With another Request-URI, or for another pool, it is a spiral, and
 * goes on.
 */
export function isLoop(ctx: IngressContext, request: SipRequest, pool: string): boolean {
  if (!request.topVia.hasMore) return false
  const hadBefore = branchesOf(request).some((branch) => hasSent(ctx, branch, request))
  return (
    hadBefore &&
    ctx.decisions.find(request.callId, ctx.now()).some((one) => one.pool === pool && one.source !== 'token')
  )
}

function branchesOf({ bytes, lines }: SipRequest): string[] {
  const branches: string[] = []
  for (const { id, valueStart, valueEnd } of lines) {
    for (let at = id === HeaderId.Via ? valueStart : -1; at >= 0;) {
      const via = parseVia(bytes, at, valueEnd)
      if (via?.branch !== undefined) branches.push(via.branch)
      at = via?.nextStart ?? -1
    }
  }
  return branches
}

/** What we sent is remembered as long as its transaction: nothing need be written into the branch. */
function hasSent({ clients, self }: IngressContext, branch: string, { method, requestUri }: SipRequest): boolean {
  if (readBranch(branch)?.instance !== self.instance) return false
  const sent = clients.get(clientKeyOf(branch, method))?.bytes
  const start = `${method} ${requestUri} `
  return sent?.toString('latin1', 0, start.length) === start
}
