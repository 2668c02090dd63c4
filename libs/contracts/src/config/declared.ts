/** A pool as the file declares it, as far as it can be read: other values of the file may be wrong. */
export interface DeclaredPool {
  readonly id: string
  /** It takes every request. */
  readonly isCatchAll: boolean
  /** New requests of its proxies have somewhere to go, so that it is of use although it takes none. */
  readonly hasOutbound: boolean
  /** In the order of the file. */
  readonly proxies: readonly { readonly id: string | undefined; readonly uri: string | undefined }[]
}

export function declaredPools(config: unknown): DeclaredPool[] {
  return Object.entries(recordOf(recordOf(config)['pools'])).map(([id, value]) => {
    const { match = {}, outbound, proxies } = recordOf(value)
    return {
      id,
      isCatchAll: isRecord(value) && isRecord(match) && Object.values(match).every((fits) => fits === undefined),
      hasOutbound: listOf(outbound).length > 0,
      proxies: listOf(proxies).map((proxy) => {
        const { id: proxyId, uri } = recordOf(proxy)
        return { id: textOf(proxyId), uri: textOf(uri) }
      }),
    }
  })
}

/** The listening addresses that can be read. */
export function declaredListen(config: unknown): string[] {
  return listOf(recordOf(recordOf(config)['ingress'])['listen']).flatMap((text) => textOf(text) ?? [])
}

/** Whether there is a certificate to show to callers. */
export function declaresCertificate(config: unknown): boolean {
  return textOf(recordOf(recordOf(recordOf(config)['ingress'])['tls'])['cert']) !== undefined
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return isRecord(value) ? value : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
