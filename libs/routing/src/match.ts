import type { PoolMatch, PoolsConfig, RouteFacts } from '@siplb/contracts'
import { createNetworks } from './networks.ts'
import { normalHost, targetOf, type Target } from './request-uri.ts'

export interface Matcher {
  /** The first pool in file order whose every given key fits; undefined where none does. */
  poolOf(facts: RouteFacts): string | undefined
}

type Test = (facts: RouteFacts, target: Target) => boolean

/** Works the `match` keys of all pools into tests, once. A pool without any takes every request. */
export function createMatcher(pools: PoolsConfig): Matcher {
  const entries = Object.entries(pools).map(([pool, config]) => ({ pool, tests: testsOf(config.match) }))
  return {
    poolOf(facts) {
      const target = targetOf(facts.requestUri)
      return entries.find(({ tests }) => tests.every((fits) => fits(facts, target)))?.pool
    },
  }
}

function testsOf({ domain, userPrefix, method, source }: PoolMatch): Test[] {
  const tests: Test[] = []
  if (method !== undefined) tests.push((facts) => method.includes(facts.method)) // RFC 3261, 7.1: methods have a case
  if (domain !== undefined) {
    const hosts = new Set(domain.map(normalHost))
    tests.push((_, { host }) => hosts.has(host))
  }
  if (userPrefix !== undefined) tests.push((_, { user }) => userPrefix.some((prefix) => user.startsWith(prefix)))
  if (source !== undefined) {
    const networks = createNetworks(source)
    tests.push((facts) => networks.has(facts.source))
  }
  return tests
}
