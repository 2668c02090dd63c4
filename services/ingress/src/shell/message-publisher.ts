import type { Bus, DataWriter, EventBatch } from '@siplb/bus'
import { sipReceived, type IngressConfig } from '@siplb/contracts'
import { defaultLimits, scan, type NameAddr, type SipRequest, type SipResponse } from '@siplb/sip'
import type { Endpoint } from '@siplb/sip/transport'

/** More than this waiting for a tick are not kept: the bus is there to be told, not to hold up calls. */
const MOST_WAITING = 10_000

/** The longest text that an event may hold. */
const LONGEST = 4096

const cut = (text: string, longest = LONGEST): string => (text.length > longest ? text.slice(0, longest) : text)

/** For so long, and a tick more, messages are kept of which perhaps nobody is told. */
const ASK_MS = 100
/** They were read once already. */
const anySize = { ...defaultLimits, datagram: Number.POSITIVE_INFINITY }

interface Proxy {
  readonly pool: string
  readonly proxy: string
}

interface Received {
  readonly bytes: Buffer
  readonly source: Endpoint
  readonly proxy: Proxy | undefined
}

export interface MessagePublisherOptions {
  readonly bus: Pick<Bus, 'batch' | 'isConnected'>
  readonly settings: Pick<IngressConfig, 'publish' | 'publishBytes'>
  readonly now: () => number
  /** One was left out, for there are too many. */
  readonly onDropped: () => void
  /** So many were told to nobody, or not told for that. */
  readonly onUnheard: (count: number) => void
}

/**
 * Publishes the SIP messages that this ingress received, gathered per tick. To write them is a twelfth of what the calls cost: while
 * nobody listens they are only kept, and ten times a second one of them is told to find out whether that is still so. Who begins to listen is
 * told of all from then on, the first of them some 100 ms late, and of some from before.
 */
export class MessagePublisher {
  readonly #options: MessagePublisherOptions
  readonly #events: EventBatch
  #kept: Received[] = []
  #askedAt = Number.NEGATIVE_INFINITY

  constructor(options: MessagePublisherOptions) {
    this.#options = options
    this.#events = options.bus.batch(sipReceived, {}, 'audience')
  }

  received(message: SipRequest | SipResponse, source: Endpoint, proxy?: Proxy): void {
    const { publish } = this.#options.settings
    if (publish === 'none' || (publish === 'requests' && message.kind === 'response')) return
    if (this.#events.size + this.#kept.length >= MOST_WAITING) return this.#options.onDropped()
    if (this.#events.isHeard && this.#kept.length === 0) this.#write(message, source, proxy)
    else this.#kept.push({ bytes: message.bytes, source, proxy })
  }

  /** What throws is a fault of ours: an event does not fit the contract. */
  async flush(): Promise<void> {
    this.#events.send()
    if (this.#kept.length > 0 && (this.#events.isHeard || (await this.#isHeardNow()))) this.#tell()
  }

  /** Tells what is kept, for it will not be found out any more whether somebody listens. */
  stop(): void {
    this.#tell()
  }

  async #isHeardNow(): Promise<boolean> {
    const now = this.#options.now()
    if (now - this.#askedAt < ASK_MS) return false
    this.#askedAt = now
    const [first] = this.#kept.splice(0, 1)
    const behind = this.#kept.length
    if (first !== undefined) this.#writeKept(first)
    const isHeard = await this.#events.ask()
    if (!isHeard) this.#forget(behind, 1)
    return isHeard
  }

  /** @param asked were told, to nobody */
  #forget(kept: number, asked = 0): void {
    this.#options.onUnheard(this.#kept.splice(0, kept).length + asked)
  }

  #tell(): void {
    if (!this.#options.bus.isConnected()) return this.#forget(this.#kept.length)
    for (const one of this.#kept.splice(0)) this.#writeKept(one)
    this.#events.send()
  }

  #writeKept({ bytes, source, proxy }: Received): void {
    const message = scan(bytes, anySize)
    if (message.kind === 'request' || message.kind === 'response') this.#write(message, source, proxy)
  }

  #write(message: SipRequest | SipResponse, source: Endpoint, proxy: Proxy | undefined): void {
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
    if (this.#options.settings.publishBytes) event.text('bytes', message.bytes.toString('base64'))
    this.#events.end()
  }
}

/** From its octets: of a response nobody else wants them as text. */
function writeUri(event: DataWriter, name: string, { bytes, uriStart, uriEnd }: NameAddr): void {
  event.latin1(name, bytes, uriStart, Math.min(uriEnd, uriStart + LONGEST))
}
