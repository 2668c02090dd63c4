import { connectUdp, type UdpConnection } from '@siplb/sip/transport'
import { ProxyLink } from './proxy-link.ts'

/**
 * By UDP: a connected socket of its own, because only such a one hears at once that nobody listens there (an unconnected one never
 * reports ICMP), and because answers then come back to this process.
 */
export class UdpLink extends ProxyLink {
  #connection: UdpConnection | undefined

  protected async connect(): Promise<void> {
    this.#connection = await connectUdp(
      { remote: this.endpoint },
      {
        onPacket: (packet) => this.heard(packet),
        onRefused: () => this.refused(),
        onError: (problem) => this.handlers.onProblem(problem),
      },
    )
  }

  protected async disconnect(): Promise<void> {
    await this.#connection?.close()
  }

  protected sendNow(bytes: Buffer): boolean {
    this.#connection?.send(bytes)
    return this.#connection !== undefined
  }
}
