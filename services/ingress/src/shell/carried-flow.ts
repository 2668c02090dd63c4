import type { Endpoint, Flow, Transport } from '@siplb/sip/transport'
import type { Carried } from './worker-messages.ts'

/** The way back of a message that came to a socket of another worker. */
export class CarriedFlow implements Flow {
  readonly transport: Transport
  readonly local: Endpoint
  readonly remote: Endpoint
  readonly isReliable: boolean
  readonly isOpen = true
  readonly #send: (bytes: Buffer) => void

  constructor({ local, remote, isReliable }: Carried, send: (bytes: Buffer) => void) {
    this.transport = local.transport
    this.local = local
    this.remote = remote
    this.isReliable = isReliable
    this.#send = send
  }

  send(bytes: Buffer): void {
    this.#send(bytes)
  }
}
