import type { Transport } from '@siplb/sip'

/** How one side of a request knows us. */
export interface Side {
  readonly transport: Transport
  /** `host:port`, as it goes into Via and Record-Route. */
  readonly host: string
}

/**
 * Our Record-Routes, the topmost first: one, or one for each side where they know us by different transports or addresses
 * (RFC 5658, 3.1). The callee's requests come by the topmost.
 */
export function recordRoutes(token: string, near: Side, far: Side, isSecure: boolean): string[] {
  const ofNear = routeTo(token, near, isSecure)
  const ofFar = routeTo(token, far, isSecure)
  return ofNear === ofFar ? [ofNear] : [ofFar, ofNear]
}

/** A loose route to us. `isSecure`: the Request-URI is a sips one, so the route has to be (RFC 3261, 16.6 step 4). */
export function routeTo(token: string, { transport, host }: Side, isSecure: boolean): string {
  const isSips = isSecure && (transport === 'tls' || transport === 'wss')
  const scheme = isSips ? 'sips' : 'sip'
  // For UDP none is written: it is what no parameter means, and some take one for a wish of ours (16.6 step 4).
  const param = paramOf(transport, isSips)
  return `<${scheme}:${token}@${host}${param === '' ? '' : `;transport=${param}`};lr>`
}

function paramOf(transport: Transport, isSips: boolean): string {
  if (transport === 'udp') return ''
  // RFC 7118, 5.2.2: ws stands for both; what it runs on is in the scheme.
  if (transport === 'ws' || transport === 'wss') return 'ws'
  return transport === 'tls' && isSips ? 'tcp' : transport
}
