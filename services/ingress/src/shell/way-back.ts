import type { Endpoint, Flow } from '@siplb/sip/transport'
import type { WayBack } from './arrival.ts'
import type { IngressContext } from './context.ts'

/** Sends by the listening socket with this local address. */
export type SendFrom = (local: Endpoint, remote: Endpoint, bytes: Buffer) => void

/** By the socket that the request came to, to another port than it came from. */
export function wayFrom(local: Endpoint, remote: Endpoint, sendFrom: SendFrom): WayBack {
  return { send: (bytes) => sendFrom(local, remote, bytes) }
}

/** On the connection that the request came by, or, when that is gone, on one to its Via (RFC 3261, 18.2.2). */
export function wayByStream(flow: Flow, sentByPort: number, { links, metrics }: IngressContext): WayBack {
  return {
    send(bytes) {
      if (flow.isOpen) return flow.send(bytes)
      const { transport, address } = flow.remote
      const way = links.linkBack({ transport, address, port: sentByPort })
      if (way === undefined) metrics.dropped.inc({ reason: 'connection-gone' })
      else way.send(bytes)
    },
  }
}
