import type { SipResponse } from '@siplb/sip'
import type { Branch } from './branch.ts'

/** Says more to the caller than others of its class, because he can act on it (RFC 3261, 16.7 step 6). */
const telling: ReadonlySet<number> = new Set([401, 407, 415, 420, 484])

/**
 * The final response to pass on when all branches have ended without a 2xx: a 6xx, else the lowest class, telling ones first.
 * A 482 or 503 comes last: it speaks of one path, not of the callee. Undefined when no branch got any.
 */
export function bestResponse(branches: readonly Branch[]): SipResponse | undefined {
  let best: SipResponse | undefined
  for (const { final } of branches) {
    if (final === undefined || typeof final === 'string') continue
    if (best === undefined || rank(final.status) < rank(best.status)) best = final
  }
  return best
}

function rank(status: number): number {
  if (status >= 600) return 0
  if (status === 503) return 99
  if (status === 482) return 98
  return Math.floor(status / 100) * 10 + (telling.has(status) ? 0 : 1)
}
