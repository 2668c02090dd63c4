import type { Endpoint, StreamConnection } from '@siplb/sip/transport'
import { Waiters } from './waiters.ts'

/** The way to one address. */
export interface Link {
  readonly endpoint: Endpoint
  /** The network said a moment ago that nobody listens there. */
  readonly isGone: boolean
  /** Who waits for a response by this link. */
  readonly pending: Waiters
  /** What to do about what gets no response, an ACK, when the link is lost: forgotten as soon as anything is heard from there, for then it arrived. */
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
  readonly pending = new Waiters()
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

/** The way along a connection that the other side made. */
export class ConnectionLink implements Link {
  readonly pending = new Waiters()
  readonly unconfirmed = new Map<object, () => void>()
  readonly #connection: StreamConnection

  constructor(connection: StreamConnection) {
    this.#connection = connection
  }

  get endpoint(): Endpoint {
    return this.#connection.remote
  }

  get isGone(): boolean {
    return !this.#connection.isOpen
  }

  send(bytes: Buffer): void {
    this.#connection.send(bytes)
  }

  /** It closed: who waits by it waits for nothing. */
  giveUpPending(): void {
    for (const waiter of this.pending.take()) waiter.linkLost()
  }
}
