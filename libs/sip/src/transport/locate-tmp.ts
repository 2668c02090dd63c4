import { isIP } from 'node:net'
import { defaultPort, hostPort, type Uri } from '../header/uri.ts'
import type { Endpoint } from './flow.ts'
import { createResolver } from './resolve.ts'

export type Located =
  | { readonly kind: 'located'; readonly endpoints: readonly Endpoint[]; readonly isStale: boolean }
  | { readonly kind: 'unlocated'; readonly host: string; readonly code: string }
export interface Locator {
  locate(uri: Uri): Promise<Located>
  known(uri: Uri): readonly Endpoint[] | undefined
}
function transportOf(uri: Uri): Endpoint['transport'] {
  const named = uri.params.get('transport')?.toLowerCase()
  if (uri.scheme === 'sips') return 'tls'
  return named === 'tcp' || named === 'tls' || named === 'ws' || named === 'wss' ? named : 'udp'
}
export function createLocator({ now }: { now: () => number; random: () => number }): Locator {
  const resolver = createResolver()
  const addresses = new Map<string, string>()
  const failed = new Map<string, number>()
  const endpoint = (uri: Uri, address: string): Endpoint => {
    const transport = transportOf(uri)
    return { transport, address, port: uri.port ?? defaultPort(transport) }
  }
  return {
    known(uri) {
      const { host } = hostPort(uri)
      const address = isIP(host) === 0 ? addresses.get(host) : host
      if (address !== undefined) return [endpoint(uri, address)]
      return now() < (failed.get(host) ?? 0) ? [] : undefined
    },
    async locate(uri) {
      const { host } = hostPort(uri)
      const found = await resolver.resolve(host)
      if (found.kind === 'unresolved') {
        failed.set(host, now() + 5000)
        return { kind: 'unlocated', host, code: found.code }
      }
      addresses.set(host, found.address)
      failed.delete(host)
      return { kind: 'located', endpoints: [endpoint(uri, found.address)], isStale: false }
    },
  }
}
