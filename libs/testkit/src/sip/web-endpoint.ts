import { randomBytes } from 'node:crypto'
import type { Endpoint, EndpointOptions } from './endpoint.ts'
import { addressOf, printMessage, readMessage } from './message.ts'

export interface WebEndpointOptions {
  /** `ws://address:port` or `wss://…` */
  readonly url: string
  readonly onMessage: EndpointOptions['onMessage']
}

/**
 * One WebSocket that speaks SIP (RFC 7118), by the client that Node brings along, which is the browsers'. All goes to the
 * server at its other end; nobody can connect to this one, so its own address is a name that cannot be (5.3).
 */
export async function openWebEndpoint({ url, onMessage }: WebEndpointOptions): Promise<Endpoint> {
  const socket = new WebSocket(url, 'sip')
  const server = addressOf(url.replace(/^wss?:\/\//, ''))
  const opened = Promise.withResolvers<void>()
  socket.addEventListener('open', () => opened.resolve())
  socket.addEventListener('error', () => opened.reject(new Error(`no WebSocket to ${url}`)))
  socket.addEventListener('message', ({ data }) => {
    const message = typeof data === 'string' ? readMessage(new TextEncoder().encode(data)) : undefined
    if (message !== undefined) onMessage(message, server)
  })
  await opened.promise
  const name = `${randomBytes(6).toString('hex')}.invalid`
  return {
    local: { address: name, port: 5060 },
    via: `SIP/2.0/${url.startsWith('wss') ? 'WSS' : 'WS'} ${name}`,
    send(message) {
      if (socket.readyState === WebSocket.OPEN) socket.send(printMessage(message))
    },
    async close() {
      const closed = Promise.withResolvers<void>()
      if (socket.readyState === WebSocket.CLOSED) return
      socket.addEventListener('close', () => closed.resolve())
      socket.close()
      await closed.promise
    },
  }
}
