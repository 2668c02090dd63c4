import { serverKey, type SipRequest } from '@siplb/sip'
import type { Endpoint, Flow } from '@siplb/sip/transport'
import { readWay, type OwnAddresses, type Tokens, type Way } from '../domain/affinity.ts'
import { receivedParams, type ReceivedParams } from '../domain/edits.ts'
import { keyHash } from './key-hash.ts'

/** What of us says whether a request is meant for us. */
export interface Own {
  readonly addresses: OwnAddresses
  readonly tokens: Tokens
}

/** Where the responses to a request go (RFC 3261, 18.2.2; RFC 3581, 4). Kept longer than the request, of which it holds nothing. */
export interface WayBack {
  send(bytes: Buffer): void
}

/** A request as it reached us, and the way back to who sent it. */
export class Arrival {
  readonly request: SipRequest
  /** Of its server transaction, and the hash of that. */
  readonly key: string
  readonly hash: number
  readonly source: Endpoint
  /** The socket that it came to. */
  readonly local: Endpoint
  readonly received: ReceivedParams
  /** It came by a connection: nothing is repeated, and what is answered tells its length. */
  readonly isReliable: boolean
  readonly back: WayBack
  readonly #own: Own
  #way: Way | undefined

  constructor(request: SipRequest, flow: Flow, own: Own, back: WayBack) {
    this.request = request
    this.key = serverKey(request)
    this.hash = keyHash(this.key)
    this.source = flow.remote
    this.local = flow.local
    this.received = receivedParams(request, flow.remote)
    this.isReliable = flow.isReliable
    this.back = back
    this.#own = own
  }

  /** Worked out by whoever asks first. */
  get way(): Way {
    this.#way ??= readWay(this.request, this.#own.addresses, this.#own.tokens)
    return this.#way
  }
}
