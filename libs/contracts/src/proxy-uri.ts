import { z } from 'zod'

/** Any SIP URI, as it stands in a From header. */
export const sipUri = z
  .string()
  .max(256)
  .regex(/^sips?:[^\s<>"]+$/i, { error: 'must be a SIP URI such as sip:10.0.0.11:5060', abort: true })

const transports: readonly string[] = ['', 'udp', 'tcp', 'tls']

/** A SIP URI that requests can be sent to: over UDP, TCP or TLS. */
export const proxyUri = sipUri
  .refine((uri) => transports.includes(transportOf(uri)), {
    error: 'must name a transport that proxies are reached by: ;transport=udp, tcp or tls, or none for udp',
    abort: true,
  })
  .refine((uri) => !/^sips:/i.test(uri) || transportOf(uri) !== 'udp', {
    error: 'sips: is reached by TLS alone: leave ;transport=udp out, or write sip:',
    abort: true,
  })
  .refine((uri) => addressOfUri(uri) !== undefined, {
    error: 'must have a host, and no port or one from 1 to 65535: sip:10.0.0.11:5060',
  })

/** RFC 3261, 25.1: perhaps a user, a host, perhaps a port, then parameters and headers. */
const PLACE = /^sips?:(?:[^@]*@)?(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?(?:[;?].*)?$/i

/** Where requests for a URI go, in one spelling: `10.0.0.11:5060`. Undefined for a URI that names no such place. */
export function addressOfUri(uri: string): string | undefined {
  const [, host, port = defaultPort(uri)] = PLACE.exec(uri) ?? []
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return undefined
  return `${host.toLowerCase()}:${Number(port)}`
}

// RFC 3261, 19.1.2.
function defaultPort(uri: string): number {
  return /^sips:/i.test(uri) || transportOf(uri) === 'tls' ? 5061 : 5060
}

function transportOf(uri: string): string {
  return /;transport=([^;?]*)/i.exec(uri)?.[1]?.toLowerCase() ?? ''
}
