import { listenUdp, type Endpoint, type Packet, type SocketProblem, type UdpListener } from '@siplb/sip/transport'
import type { Component, Logger } from '@siplb/runtime'
import { ownAddresses } from './surroundings.ts'

export interface ListenersOptions {
  readonly endpoints: readonly Endpoint[]
  /** `host` or `host:port`; default: the listening address. */
  readonly advertise: string | undefined
  readonly onPacket: (packet: Packet) => void
  readonly onProblem: (problem: SocketProblem) => void
  readonly onListening: (local: Endpoint, advertised: string) => void
  readonly log: Logger
}

/** The sockets that callers and proxies send to. */
export class Listeners implements Component {
  readonly name = 'listeners'
  readonly #options: ListenersOptions
  #open: { readonly socket: UdpListener; readonly advertised: string }[] = []

  constructor(options: ListenersOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    const { endpoints, advertise, onPacket, onProblem, onListening, log } = this.#options
    for (const { address, port } of endpoints) {
      const socket = await listenUdp({ address, port }, { onPacket, onError: onProblem }).catch((error: unknown) => {
        const where = `udp://${address.includes(':') ? `[${address}]` : address}:${port}`
        throw new Error(
          `cannot listen on ${where}; is the port taken, or the address not of this machine? Set ingress.listen`,
          {
            cause: error,
          },
        )
      })
      const advertised = advertisedFor(socket.local, advertise)
      this.#open.push({ socket, advertised })
      onListening(socket.local, advertised)
      log.info({ address: socket.local.address, port: socket.local.port, advertised }, 'listening')
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#open.map(({ socket }) => socket.close()))
    this.#open = []
  }

  advertised(local: { readonly address: string; readonly port: number }): string {
    return (this.#of(local) ?? this.#open[0])?.advertised ?? ''
  }

  sendFrom(local: Endpoint, remote: Endpoint, bytes: Buffer): void {
    ;(this.#of(local) ?? this.#open[0])?.socket.sendTo(remote, bytes)
  }

  #of(local: { readonly address: string; readonly port: number }) {
    return this.#open.find(({ socket }) => socket.local.port === local.port && socket.local.address === local.address)
  }
}

function advertisedFor(local: Endpoint, advertise: string | undefined): string {
  if (advertise !== undefined) return /:\d+$/.test(advertise) ? advertise : `${advertise}:${local.port}`
  const isWildcard = local.address === '0.0.0.0' || local.address === '::'
  const address = isWildcard
    ? (ownAddresses(local.address === '::' ? 'IPv6' : 'IPv4')[0] ?? '127.0.0.1')
    : local.address
  return `${address.includes(':') ? `[${address}]` : address}:${local.port}`
}
