import type { PoolsConfig, RouteFacts } from '@siplb/contracts'
import { targetOf } from './request-uri.ts'

/** What the choices of a pool hash. */
export interface RouteKeys {
  /** For the policy rendezvous. */
  rendezvous(pool: string, facts: RouteFacts): string
  /** The address-of-record that a request is about, in pools whose requests stay with it; undefined in others. */
  aor(pool: string, facts: RouteFacts): string | undefined
}

export function createRouteKeys(pools: PoolsConfig): RouteKeys {
  const byFrom = poolsWhere(pools, ({ rendezvousKey }) => rendezvousKey === 'from')
  const byAor = poolsWhere(pools, ({ affinity }) => affinity === 'aor')
  return {
    rendezvous: (pool, facts) => (byFrom.has(pool) ? facts.from : facts.callId),
    aor: (pool, facts) => (byAor.has(pool) ? aorOf(facts) : undefined),
  }
}

/** Of a REGISTER its To, of others the Request-URI (RFC 3261, 10.2): user and host, for port and parameters name no one else. */
function aorOf({ method, to, requestUri }: RouteFacts): string {
  const { user, host } = targetOf(method === 'REGISTER' ? to : requestUri)
  return `${user}@${host}`
}

function poolsWhere(pools: PoolsConfig, fits: (pool: PoolsConfig[string]) => boolean): ReadonlySet<string> {
  return new Set(Object.entries(pools).flatMap(([id, pool]) => (fits(pool) ? [id] : [])))
}
