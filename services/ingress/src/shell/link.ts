import type { Endpoint } from '@siplb/sip/transport'

/** The way to one address. */
export interface Link {
  readonly endpoint: Endpoint
  /** The network said a moment ago that nobody listens there. */
  readonly isGone: boolean
  /** Who waits for a response by this link, and what to do when none can come any more. */
  readonly pending: Map<object, () => void>
  /** The same for what gets no response, an ACK: forgotten as soon as anything is heard from there, for then it arrived. */
  readonly unconfirmed: Map<object, () => void>
  send(bytes: Buffer): void
}

/**
 * The way along a route set, mostly back to a caller: by the socket that he knows us by, or his NAT would not let it in. Such a
 * socket hears of no refusal.
 */
export class ListenerLink implements Link {
  readonly endpoint: Endpoint
  readonly isGone = false
  readonly pending = new Map<object, () => void>()
  readonly unconfirmed = new Map<object, () => void>()
  readonly #sendTo: (remote: Endpoint, bytes: Buffer) => void

  constructor(endpoint: Endpoint, sendTo: (remote: Endpoint, bytes: Buffer) => void) {
    this.endpoint = endpoint
    this.#sendTo = sendTo
  }

  send(bytes: Buffer): void {
    this.#sendTo(this.endpoint, bytes)
  }
}
