import type { Bus } from '@siplb/bus'
import { sipReceived, type IngressConfig, type SipMessage } from '@siplb/contracts'
import type { SipRequest, SipResponse } from '@siplb/sip'
import type { Endpoint } from '@siplb/sip/transport'

/** More than this waiting for a tick are not kept: the bus is there to be told, not to hold up calls. */
const MOST_WAITING = 10_000

/** Publishes the SIP messages that this ingress received, gathered per tick. */
export class MessagePublisher {
  readonly #bus: Bus
  readonly #settings: Pick<IngressConfig, 'publish' | 'publishBytes'>
  readonly #onDropped: () => void
  #waiting: SipMessage[] = []

  constructor(bus: Bus, settings: Pick<IngressConfig, 'publish' | 'publishBytes'>, onDropped: () => void) {
    this.#onDropped = onDropped
    this.#bus = bus
    this.#settings = settings
  }

  received(
    message: SipRequest | SipResponse,
    source: Endpoint,
    proxy?: { readonly pool: string; readonly proxy: string },
  ): void {
    const { publish, publishBytes } = this.#settings
    if (publish === 'none' || (publish === 'requests' && message.kind === 'response')) return
    if (this.#waiting.length >= MOST_WAITING) return this.#onDropped()
    this.#waiting.push({
      kind: message.kind,
      method: message.cseq.method.slice(0, 64),
      ...(message.kind === 'response' ? { status: message.status } : { requestUri: message.requestUri }),
      callId: message.callId,
      from: message.from.uri,
      to: message.to.uri,
      source: source.address.includes(':') ? `[${source.address}]:${source.port}` : `${source.address}:${source.port}`,
      transport: source.transport,
      ...proxy,
      ...(publishBytes ? { bytes: message.bytes.toString('base64') } : {}),
    })
  }

  flush(): void {
    if (this.#waiting.length === 0) return
    const messages = this.#waiting
    this.#waiting = []
    this.#bus.publish(sipReceived, {}, messages)
  }
}
