import type { Endpoint, Transport } from '@siplb/sip'

const transports: ReadonlySet<string> = new Set<Transport>(['udp', 'tcp', 'tls', 'ws', 'wss'])

/** `tcp:192.0.2.1:40000`, as it stands in a route token. */
export function flowText({ transport, address, port }: Endpoint): string {
  return `${transport}:${address}:${port}`
}

/** Undefined for what `flowText` did not write. */
export function readFlow(text: string): Endpoint | undefined {
  const first = text.indexOf(':')
  const last = text.lastIndexOf(':')
  const transport = text.slice(0, first)
  const port = Number(text.slice(last + 1))
  const isFlow = isTransport(transport) && last > first + 1 && Number.isInteger(port) && port > 0 && port <= 65_535
  return isFlow ? { transport, address: text.slice(first + 1, last), port } : undefined
}

function isTransport(text: string): text is Transport {
  return transports.has(text)
}
