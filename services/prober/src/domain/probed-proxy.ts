import type { LoadSource, PoolsConfig, ProxyRecord } from '@siplb/contracts'

/** What the prober needs to know of a proxy. */
export interface ProbedProxy {
  /** `<pool>.<proxy>`, as in the store. */
  readonly key: string
  readonly pool: string
  readonly id: string
  readonly uri: string
  readonly load: LoadSource | undefined
}

function keyOf(pool: string, id: string): string {
  return `${pool}.${id}`
}

/** A disabled proxy is left in peace; a draining one still has dialogs to look after. */
export function ofRecord({ pool, id, uri, load, adminState }: ProxyRecord): ProbedProxy | undefined {
  return adminState === 'disabled' ? undefined : { key: keyOf(pool, id), pool, id, uri, load }
}

export function ofConfig(pools: PoolsConfig): readonly ProbedProxy[] {
  return Object.entries(pools).flatMap(([pool, { proxies }]) =>
    proxies.map(({ id, uri, load }) => ({ key: keyOf(pool, id), pool, id, uri, load })),
  )
}
