import type { Endpoint, Transport } from '@siplb/sip'

const transports: ReadonlySet<string> = new Set<Transport>(['udp', 'tcp', 'tls', 'ws', 'wss'])

/** `tcp:192.0.2.1:40000/HnYk3Q2v`, as it stands in a route token; by UDP without the name of a connection. */
export function flowText({ transport, address, port, connection }: Endpoint): string {
  return `${transport}:${address}:${port}${connection === undefined ? '' : `/${connection}`}`
}

/** Undefined for what `flowText` did not write. */
export function readFlow(text: string): Endpoint | undefined {
  const [place = '', connection] = text.split('/')
  const first = place.indexOf(':')
  const last = place.lastIndexOf(':')
  const transport = place.slice(0, first)
  const port = Number(place.slice(last + 1))
  const isFlow = isTransport(transport) && last > first + 1 && Number.isInteger(port) && port > 0 && port <= 65_535
  if (!isFlow) return undefined
  const endpoint = { transport, address: place.slice(first + 1, last), port }
  return connection === undefined ? endpoint : { ...endpoint, connection }
}

function isTransport(text: string): text is Transport {
  return transports.has(text)
}
