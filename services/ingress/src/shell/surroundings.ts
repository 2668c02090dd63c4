import { networkInterfaces } from 'node:os'
import { MOST_ROWS_WHOLE } from '@siplb/contracts'
import { createNetworks, type Networks } from '@siplb/routing'
import { atOnce, inTurns } from '@siplb/runtime'
import { parseUri, readBranch, type SipRequest } from '@siplb/sip'
import type { Endpoint } from '@siplb/sip/transport'
import type { SourcePool, Surroundings } from '../domain/admission.ts'
import { sentByPort } from '../domain/edits.ts'
import type { RouteToken } from '../domain/route-token.ts'
import type { IngressContext } from './context.ts'
import { rememberedDialog } from './dialogs.ts'

interface PoolSources {
  readonly pool: string
  readonly outbound: readonly string[]
  readonly networks: Networks
  /** Its proxies by `address port`. */
  readonly endpoints: ReadonlyMap<string, string>
  readonly addresses: ReadonlySet<string>
}

/** As many as a table may have. */
const MOST_URIS = 20_000
const READ_IN_A_STEP = 200

/** Who is who around us, by address: worked out anew whenever tables, names or configuration change. */
export class AddressBook implements Surroundings {
  readonly #ctx: IngressContext
  readonly #own = new Set<string>()
  readonly #ownUris = new Map<string, boolean>()
  #pools: PoolSources[] = []
  #refreshing = 0

  constructor(ctx: IngressContext) {
    this.#ctx = ctx
  }

  get isDraining(): boolean {
    return this.#ctx.isDraining
  }

  /** Everything that a URI may call us: what we listen on, what we advertise, and each address of a wildcard. */
  addOwn(address: string, port: number): void {
    const addresses =
      address === '0.0.0.0' || address === '::' ? ownAddresses(address === '::' ? 'IPv6' : 'IPv4') : [address]
    for (const one of addresses) this.#own.add(`${one.includes(':') ? `[${one}]` : one}:${port}`.toLowerCase())
    this.#ownUris.clear()
  }

  addAdvertised(hostPort: string): void {
    const uri = parseUri(`sip:${hostPort}`)
    if (uri !== undefined) this.#own.add(`${uri.host}:${uri.port ?? 5060}`)
    this.#ownUris.clear()
  }

  /** Of a proxy: asked for each request, so that it is worked out once. */
  isOurUri(uri: string): boolean {
    const known = this.#ownUris.get(uri)
    if (known !== undefined) return known
    const parsed = parseUri(uri)
    const isOurs = parsed !== undefined && this.isOurs(parsed.host, parsed.port)
    if (this.#ownUris.size >= MOST_URIS) this.#ownUris.clear()
    this.#ownUris.set(uri, isOurs)
    return isOurs
  }

  isOurs(host: string, port: number | undefined): boolean {
    return this.#own.has(`${host}:${port ?? 5060}`)
  }

  isLooped({ topVia }: SipRequest): boolean {
    const isOurBranch = readBranch(topVia.branch ?? '')?.instance === this.#ctx.self.instance
    return isOurBranch && this.isOurs(topVia.host, topVia.port)
  }

  originOf({ topVia }: SipRequest, { transport, address, port }: Endpoint): SourcePool | undefined {
    // A connection that a proxy made comes from any port of it; the one it listens at is in its Via.
    const places = [`${address} ${port}`, ...(transport === 'udp' ? [] : [`${address} ${sentByPort(topVia)}`])]
    for (const { pool, outbound, endpoints, networks } of this.#pools) {
      const proxy = places.flatMap((place) => endpoints.get(place) ?? [])[0]
      if (proxy !== undefined || networks.has(address)) return { pool, proxy, outbound }
    }
    return undefined
  }

  isProxyAddress(pool: string, address: string): boolean {
    const known = this.#pools.find((one) => one.pool === pool)
    return known !== undefined && (known.addresses.has(address) || known.networks.has(address))
  }

  /** Whether a proxy of any pool is there. */
  isProxy(address: string): boolean {
    return this.#pools.some(({ addresses, networks }) => addresses.has(address) || networks.has(address))
  }

  proxyAt(pool: string, address: string, port = 5060): string | undefined {
    return this.#pools.find((one) => one.pool === pool)?.endpoints.get(`${address} ${port}`)
  }

  isSelf(instance: string): boolean {
    return instance === this.#ctx.self.instance
  }

  /** Two machines may have the same address, each in a network of its own: what is sent there would come back. */
  fellowUri(instance: string): string | undefined {
    const uri = this.#ctx.ingresses.uriOf(instance)
    const parsed = uri === undefined ? undefined : parseUri(uri)
    return parsed === undefined || this.isOurs(parsed.host, parsed.port) ? undefined : uri
  }

  isFellow(address: string): boolean {
    return this.#ctx.ingresses.has(address)
  }

  isHandedOver({ topVia }: SipRequest): boolean {
    const { instance } = readBranch(topVia.branch ?? '') ?? {}
    return instance !== undefined && this.#ctx.ingresses.uriOf(instance) !== undefined
  }

  remembered(request: SipRequest): RouteToken | undefined {
    return rememberedDialog(this.#ctx, request)
  }

  /** At once, unless there are many; of two at a time the later one counts. */
  refresh(): void {
    const refreshing = (this.#refreshing += 1)
    const use = (pools: PoolSources[]) => {
      if (refreshing === this.#refreshing) this.#pools = pools
    }
    const { config, tables } = this.#ctx
    const isLarge = Object.keys(config.pools).some((pool) => tables.rowsOf(pool).length > MOST_ROWS_WHOLE)
    if (!isLarge) return use(atOnce(this.#read()))
    inTurns(this.#read()).then(use, (err: unknown) => this.#ctx.log.error({ err }, 'addresses of proxies not known'))
  }

  *#read(): Generator<undefined, PoolSources[]> {
    const { config, links, tables } = this.#ctx
    const pools: PoolSources[] = []
    let read = 0
    for (const [pool, { sources, outbound }] of Object.entries(config.pools)) {
      const endpoints = new Map<string, string>()
      const addresses = new Set<string>()
      const [rows, former] = [tables.rowsOf(pool), tables.formerUrisOf(pool)] // of one moment
      for (const { id, uri } of rows) {
        for (const { address, port } of links.knownEndpointsOf(uri)) {
          endpoints.set(`${address} ${port}`, id)
          addresses.add(address)
        }
        if (++read % READ_IN_A_STEP === 0) yield
      }
      for (const uri of former) {
        for (const { address } of links.knownEndpointsOf(uri)) addresses.add(address)
        if (++read % READ_IN_A_STEP === 0) yield
      }
      pools.push({ pool, outbound, networks: createNetworks(sources), endpoints, addresses })
    }
    return pools
  }
}

/** Addresses of this machine in one family, those that others can reach first. */
export function ownAddresses(family: 'IPv4' | 'IPv6'): string[] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const inFamily = all.filter((one) => one.family === family && !one.address.startsWith('fe80:'))
  return inFamily.sort((a, b) => Number(a.internal) - Number(b.internal)).map(({ address }) => address)
}
