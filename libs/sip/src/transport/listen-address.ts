import { isIP } from 'node:net'
import type { Endpoint, Transport } from './flow.ts'

export type ListenAddress =
  (Endpoint & { readonly kind: 'address' }) | { readonly kind: 'problem'; readonly problem: string }

// RFC 3261, 19.1.2; RFC 7118, 8: WebSocket has the ports of HTTP.
const defaultPorts: Readonly<Record<Transport, number>> = { udp: 5060, tcp: 5060, tls: 5061, ws: 80, wss: 443 }

/** Reads `udp://0.0.0.0:5060`, IPv6 in brackets. Port 0 lets the system choose; without one it is the transport's own. */
export function parseListen(text: string): ListenAddress {
  const mark = text.indexOf('://')
  const transport = mark < 0 ? '' : text.slice(0, mark).toLowerCase()
  if (!isTransport(transport)) return problem(text, 'has to start with udp, tcp, tls, ws or wss and ://')
  const { host, portText } = splitPort(text.slice(mark + 3))
  const address = host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host
  const isBracketed = address !== host
  const family = isIP(address)
  if (family === 0 || (family === 6) !== isBracketed) return problem(text, 'needs a numeric address, IPv6 in brackets')
  const port = portText === undefined ? defaultPorts[transport] : readPort(portText)
  if (port === undefined) return problem(text, 'needs a port from 0 to 65535')
  return { kind: 'address', transport, address, port }
}

const isTransport = (text: string): text is Transport => Object.hasOwn(defaultPorts, text)

function splitPort(text: string): { host: string; portText: string | undefined } {
  const colon = text.lastIndexOf(':')
  if (colon < 0 || text.endsWith(']')) return { host: text, portText: undefined }
  return { host: text.slice(0, colon), portText: text.slice(colon + 1) }
}

function readPort(text: string): number | undefined {
  const port = Number(text)
  const isPort = String(port) === text && Number.isInteger(port) && port >= 0 && port <= 65_535
  return isPort ? port : undefined
}

function problem(text: string, cure: string): ListenAddress {
  return { kind: 'problem', problem: `listening address "${text}" ${cure}, as in udp://0.0.0.0:5060` }
}
