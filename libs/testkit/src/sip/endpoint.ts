import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import { hostPort, printMessage, readMessage, type Address, type Message } from './message.ts'

export interface EndpointOptions {
  /** Default 127.0.0.1. */
  readonly address?: string
  /** 0, the default, takes a free one. */
  readonly port?: number
  readonly onMessage: (message: Message, source: Address) => void
}

/** A socket that speaks SIP. */
export interface Endpoint {
  /** What others reach it by: never the unspecified address. */
  readonly local: Address
  /** How its Via begins: protocol and sent-by. */
  readonly via: string
  send(message: Message, to: Address): void
  close(): Promise<void>
}

/** By UDP. */
export async function openEndpoint(options: EndpointOptions): Promise<Endpoint> {
  const { address = '127.0.0.1', port = 0, onMessage } = options
  const socket = createSocket({ type: isIPv6(address) ? 'udp6' : 'udp4', recvBufferSize: 4 << 20 })
  socket.bind(port, address)
  try {
    await once(socket, 'listening')
  } catch (error) {
    throw new Error(`udp ${address}:${port} cannot be listened on; free it or choose another port`, { cause: error })
  }
  socket.on('message', (bytes, source) => {
    const message = readMessage(bytes)
    if (message !== undefined) onMessage(message, source)
  })
  let isOpen = true
  const local = { address: reachableAddress(address), port: socket.address().port }
  return {
    local,
    via: `SIP/2.0/UDP ${hostPort(local)}`,
    send(message, to) {
      // Whatever is lost, here or on the way, is what retransmissions are for.
      if (isOpen) socket.send(printMessage(message), to.port, to.address, () => {})
    },
    async close() {
      if (!isOpen) return
      isOpen = false
      const closed = once(socket, 'close')
      socket.close()
      await closed
    },
  }
}

function reachableAddress(bound: string): string {
  if (bound !== '0.0.0.0' && bound !== '::') return bound
  const family = bound === '::' ? 'IPv6' : 'IPv4'
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const outer = addresses.find((a) => a.family === family && !a.internal)
  return outer?.address ?? (family === 'IPv6' ? '::1' : '127.0.0.1')
}
