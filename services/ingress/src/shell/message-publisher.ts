import type { Bus } from '@siplb/bus'
import { sipReceived, type IngressConfig, type SipMessage } from '@siplb/contracts'
import type { SipRequest, SipResponse } from '@siplb/sip'
import type { Endpoint } from '@siplb/sip/transport'

/** More than this waiting for a tick are not kept: the bus is there to be told, not to hold up calls. */
const MOST_WAITING = 10_000

/** The longest text that an event may hold. */
const LONGEST = 4096

const cut = (text: string, longest = LONGEST): string => (text.length > longest ? text.slice(0, longest) : text)

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
    // One shape for all: what is undefined is left out when it is written.
    this.#waiting.push({
      kind: message.kind,
      method: cut(message.cseq.method, 64),
      status: message.kind === 'response' ? message.status : undefined,
      requestUri: message.kind === 'request' ? cut(message.requestUri) : undefined,
      callId: cut(message.callId),
      from: cut(message.from.uri),
      to: cut(message.to.uri),
      source: source.address.includes(':') ? `[${source.address}]:${source.port}` : `${source.address}:${source.port}`,
      transport: source.transport,
      pool: proxy?.pool,
      proxy: proxy?.proxy,
      bytes: publishBytes ? message.bytes.toString('base64') : undefined,
    })
  }

  flush(): void {
    if (this.#waiting.length === 0) return
    const messages = this.#waiting
    this.#waiting = []
    this.#bus.publish(sipReceived, {}, messages)
  }
}
