import { addressOfUri } from '../proxy-uri.ts'
import { declaredListen, declaredPools, declaresCertificate, isRecord, type DeclaredPool } from './declared.ts'
import { listenPlace } from './listen-uri.ts'

/** What a rule finds, and where. */
export interface Breach {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** What is wrong about several values together, each right by itself. Takes any value: what cannot be read is passed over. */
export function breachesOf(config: unknown): Breach[] {
  const pools = declaredPools(config)
  return [
    ...pools.flatMap(idOnce),
    ...pools.flatMap(addressOnce),
    ...notOurselves(pools, declaredListen(config)),
    ...reachable(pools),
    ...certified(config),
  ]
}

/** Every request would be refused. */
export function noPool(config: unknown): Breach[] {
  const pools = isRecord(config) ? config['pools'] : undefined
  if (!isRecord(pools) || Object.keys(pools).length > 0) return []
  return [{ path: ['pools'], message: 'name at least one pool with its proxies; config/siplb.yaml is the sample' }]
}

function idOnce({ id: pool, proxies }: DeclaredPool): Breach[] {
  return proxies.flatMap(({ id }, i) => {
    if (id === undefined || proxies.findIndex((other) => other.id === id) === i) return []
    return [{ path: ['pools', pool, 'proxies', i, 'id'], message: `"${id}" is there twice` }]
  })
}

/** What one of them did would be counted for the other. */
function addressOnce({ id: pool, proxies }: DeclaredPool): Breach[] {
  const addresses = proxies.map(({ uri }) => (uri === undefined ? undefined : addressOfUri(uri)))
  return addresses.flatMap((address, i) => {
    const first = addresses.indexOf(address)
    if (address === undefined || first === i) return []
    const other = proxies[first]?.id ?? 'another proxy of this pool'
    const message = `${address} is the address of ${other} already; write it once, with the weight of both`
    return [{ path: ['pools', pool, 'proxies', i, 'uri'], message }]
  })
}

/** What went there would come in here again, until Max-Forwards ends it. */
function notOurselves(pools: readonly DeclaredPool[], listen: readonly string[]): Breach[] {
  return pools.flatMap(({ id: pool, proxies }) =>
    proxies.flatMap(({ uri }, i) => {
      const address = uri === undefined ? undefined : addressOfUri(uri)
      const own = address === undefined ? undefined : listen.find((text) => reaches(address, text))
      if (own === undefined) return []
      return [{ path: ['pools', pool, 'proxies', i, 'uri'], message: `is the ingress itself, which listens on ${own}` }]
    }),
  )
}

/** Of the addresses behind 0.0.0.0 and [::] only loopback is known to be this machine. */
function reaches(address: string, listen: string): boolean {
  const place = listenPlace(listen)
  if (place === undefined) return false
  const hosts: Readonly<Record<string, RegExp>> = {
    '0.0.0.0': /^(0\.0\.0\.0|127\.[\d.]+|localhost)$/,
    '[::]': /^(\[::1?\]|localhost)$/,
  }
  const port = `:${place.port}`
  if (!address.endsWith(port)) return false
  const host = address.slice(0, -port.length)
  return hosts[place.host]?.test(host) ?? host === place.host
}

function reachable(pools: readonly DeclaredPool[]): Breach[] {
  const taker = pools.findIndex(({ isCatchAll }) => isCatchAll)
  if (taker < 0) return []
  const message = `takes no request, for ${pools[taker]?.id} before it takes all: put that pool last, or give it a match`
  return pools
    .slice(taker + 1)
    .flatMap(({ id, hasOutbound }) => (hasOutbound ? [] : [{ path: ['pools', id], message }]))
}

/** A TLS listener has something to show. */
function certified(config: unknown): Breach[] {
  const at = declaredListen(config).findIndex((text) => /^(tls|wss):/.test(text))
  if (at < 0 || declaresCertificate(config)) return []
  return [{ path: ['ingress', 'listen', at], message: 'needs a certificate: set ingress.tls.cert and ingress.tls.key' }]
}
