import type { Bus, DataWriter, EventBatch } from '@siplb/bus'
import { sipReceived, type IngressConfig } from '@siplb/contracts'
import type { NameAddr, SipRequest, SipResponse } from '@siplb/sip'
import type { Endpoint } from '@siplb/sip/transport'

/** More than this waiting for a tick are not kept: the bus is there to be told, not to hold up calls. */
const MOST_WAITING = 10_000

/** The longest text that an event may hold. */
const LONGEST = 4096

const cut = (text: string, longest = LONGEST): string => (text.length > longest ? text.slice(0, longest) : text)

/** Publishes the SIP messages that this ingress received, gathered per tick. */
export class MessagePublisher {
  readonly #settings: Pick<IngressConfig, 'publish' | 'publishBytes'>
  readonly #onDropped: () => void
  readonly #events: EventBatch

  constructor(
    bus: Pick<Bus, 'batch'>,
    settings: Pick<IngressConfig, 'publish' | 'publishBytes'>,
    onDropped: () => void,
  ) {
    this.#onDropped = onDropped
    this.#settings = settings
    this.#events = bus.batch(sipReceived, {})
  }

  received(
    message: SipRequest | SipResponse,
    source: Endpoint,
    proxy?: { readonly pool: string; readonly proxy: string },
  ): void {
    const { publish, publishBytes } = this.#settings
    if (publish === 'none' || (publish === 'requests' && message.kind === 'response')) return
    if (this.#events.size >= MOST_WAITING) return this.#onDropped()
    const event = this.#events.begin()
    event.text('kind', message.kind)
    event.text('method', cut(message.cseq.method, 64))
    if (message.kind === 'response') event.number('status', message.status)
    else event.text('requestUri', cut(message.requestUri))
    event.text('callId', cut(message.callId))
    writeUri(event, 'from', message.from)
    writeUri(event, 'to', message.to)
    event.text(
      'source',
      source.address.includes(':') ? `[${source.address}]:${source.port}` : `${source.address}:${source.port}`,
    )
    event.text('transport', source.transport)
    if (proxy !== undefined) {
      event.text('pool', proxy.pool)
      event.text('proxy', proxy.proxy)
    }
    if (publishBytes) event.text('bytes', message.bytes.toString('base64'))
    this.#events.end()
  }

  flush(): void {
    this.#events.send()
  }
}

/** From its octets: of a response nobody else wants them as text. */
function writeUri(event: DataWriter, name: string, { bytes, uriStart, uriEnd }: NameAddr): void {
  event.latin1(name, bytes, uriStart, Math.min(uriEnd, uriStart + LONGEST))
}
