import { lookup as systemLookup } from 'node:dns'
import { isIP } from 'node:net'

export type Resolved =
  | { readonly kind: 'resolved'; readonly address: string; readonly family: 4 | 6; readonly isStale: boolean }
  | { readonly kind: 'unresolved'; readonly host: string; readonly code: string }

export type Lookup = (
  host: string,
  done: (error: NodeJS.ErrnoException | null, address: string, family: number) => void,
) => void

export interface Resolver {
  /** Never rejects. `isStale` says that the name service failed and an earlier answer is given. */
  resolve(host: string): Promise<Resolved>
}

/**
 * Host to numeric address. Numeric hosts, also in brackets, are given back; names go to the system's resolver, and its
 * last good answer is kept: a proxy does not vanish because DNS does.
 */
export function createResolver(lookup: Lookup = (host, done) => systemLookup(host, done)): Resolver {
  const lastGood = new Map<string, { address: string; family: 4 | 6 }>()
  const resolve = (host: string): Promise<Resolved> => {
    const numeric = asNumeric(host)
    if (numeric !== undefined) return Promise.resolve(numeric)
    return new Promise((done) => {
      lookup(host, (error, address, family) => {
        const known = lastGood.get(host)
        if (error === null && isIP(address) !== 0) {
          const answer = { address, family: family === 6 ? 6 : 4 } as const
          lastGood.set(host, answer)
          done({ kind: 'resolved', ...answer, isStale: false })
        } else if (known !== undefined) done({ kind: 'resolved', ...known, isStale: true })
        else done({ kind: 'unresolved', host, code: error?.code ?? 'ENOTFOUND' })
      })
    })
  }
  return { resolve }
}

function asNumeric(host: string): Resolved | undefined {
  const address = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
  const family = isIP(address)
  return family === 4 || family === 6 ? { kind: 'resolved', address, family, isStale: false } : undefined
}
