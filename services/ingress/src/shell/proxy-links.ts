import { isIP } from 'node:net'
import { hostPort, parseUri } from '@siplb/sip'
import {
  connectUdp,
  type Endpoint,
  type Packet,
  type Resolver,
  type SocketProblem,
  type UdpConnection,
} from '@siplb/sip/transport'
import type { Logger } from '@siplb/runtime'
import type { Link } from './link.ts'

/** How long a refusal is believed: then somebody may be listening again. */
const GONE_MS = 2000
const CLOSE_AFTER_MS = 60_000
/** Each link is a descriptor of the process and some buffers. */
const MOST_LINKS = 1000
/** A name that did not resolve is not asked for again so soon: each call would wait for the name service. */
const UNRESOLVED_MS = 5000

export interface LinkHandlers {
  onPacket(packet: Packet): void
  /** The network said that nobody listens at this link's address. */
  onRefused(link: ProxyLink): void
  onProblem(problem: SocketProblem): void
}

/**
 * The way to one address: a connected socket of its own, because only such a one hears at once that nobody listens there (an
 * unconnected one never reports ICMP), and because answers then come back to this process.
 */
export class ProxyLink implements Link {
  readonly endpoint: Endpoint
  readonly pending = new Map<object, () => void>()
  readonly unconfirmed = new Map<object, () => void>()
  readonly #handlers: LinkHandlers
  readonly #now: () => number
  #connection: UdpConnection | undefined
  #opening: Promise<void> | undefined
  #waiting: Buffer[] = []
  #refusedAt = Number.NEGATIVE_INFINITY
  usedAt: number

  constructor(address: string, port: number, handlers: LinkHandlers, now: () => number) {
    this.endpoint = { transport: 'udp', address, port }
    this.#handlers = handlers
    this.#now = now
    this.usedAt = now()
  }

  /** Refused a moment ago, and not heard of since. */
  get isGone(): boolean {
    return this.#now() - this.#refusedAt < GONE_MS
  }

  send(bytes: Buffer): void {
    this.usedAt = this.#now()
    if (this.#connection !== undefined) return this.#connection.send(bytes)
    this.#waiting.push(bytes)
    void this.open()
  }

  open(): Promise<void> {
    this.#opening ??= this.#open()
    return this.#opening
  }

  async close(): Promise<void> {
    await this.#opening
    await this.#connection?.close()
  }

  async #open(): Promise<void> {
    try {
      this.#connection = await connectUdp(
        { remote: this.endpoint },
        {
          onPacket: (packet) => {
            this.#refusedAt = Number.NEGATIVE_INFINITY
            this.unconfirmed.clear()
            this.#handlers.onPacket(packet)
          },
          onRefused: () => this.#refused(),
          onError: (problem) => this.#handlers.onProblem(problem),
        },
      )
      for (const bytes of this.#waiting) this.#connection.send(bytes)
      this.#waiting = []
    } catch {
      this.#opening = undefined
      this.#waiting = []
      this.#refused()
    }
  }

  #refused(): void {
    this.#refusedAt = this.#now()
    this.#handlers.onRefused(this)
    this.giveUpPending()
  }

  /** Nobody listens there any more: tells all who wait. */
  giveUpPending(): void {
    const waiting = [...this.unconfirmed.values(), ...this.pending.values()]
    this.unconfirmed.clear()
    this.pending.clear()
    for (const giveUp of waiting) giveUp()
  }
}

/** Links by address, shared by all proxies and dialogs that go there. */
export class ProxyLinks {
  readonly #links = new Map<string, ProxyLink>()
  readonly #addresses = new Map<string, string>()
  readonly #unresolvedUntil = new Map<string, number>()
  readonly #resolver: Resolver
  readonly #handlers: LinkHandlers
  readonly #now: () => number
  readonly #log: Logger

  constructor(resolver: Resolver, handlers: LinkHandlers, now: () => number, log: Logger) {
    this.#resolver = resolver
    this.#handlers = handlers
    this.#now = now
    this.#log = log
  }

  /** The link for a SIP URI; a promise only where its host is a name that was not resolved before. */
  linkTo(uri: string): ProxyLink | undefined | Promise<ProxyLink | undefined> {
    const endpoint = this.endpointOf(uri)
    const link = (found: Endpoint | undefined) =>
      found === undefined ? undefined : this.#link(found.address, found.port)
    return endpoint instanceof Promise ? endpoint.then(link) : link(endpoint)
  }

  /** The link for a URI whose host was resolved before. */
  knownLinkTo(uri: string): ProxyLink | undefined {
    if (!this.hasRoomFor(uri)) return undefined
    const link = this.linkTo(uri)
    return link instanceof Promise ? undefined : link
  }

  knownEndpointOf(uri: string): Endpoint | undefined {
    const endpoint = this.endpointOf(uri)
    return endpoint instanceof Promise ? undefined : endpoint
  }

  /** Whether a proxy has, or can have, a socket of its own; others are reached by the listening one. */
  hasRoomFor(uri: string): boolean {
    const endpoint = this.knownEndpointOf(uri)
    return this.#links.size < MOST_LINKS || (endpoint !== undefined && this.#links.has(keyOf(endpoint)))
  }

  /** Resolves the names anew and opens the sockets, so that the first request finds them open. */
  async prepare(uris: readonly string[]): Promise<void> {
    const prepareOne = async (uri: string) => {
      const parsed = parseUri(uri)
      if (parsed === undefined) return
      await this.#resolve(parsed.hostname)
      await this.knownLinkTo(uri)?.open()
    }
    await Promise.all(uris.map(prepareOne))
  }

  /** Where a SIP URI leads, as numbers; a promise only where its host is a name that was not resolved before. */
  endpointOf(uri: string): Endpoint | undefined | Promise<Endpoint | undefined> {
    const parsed = parseUri(uri)
    if (parsed === undefined || parsed.host === '') return undefined
    const { host, port } = hostPort(parsed)
    const endpoint = (address: string | undefined): Endpoint | undefined =>
      address === undefined ? undefined : { transport: 'udp', address, port }
    const known = isIP(host) === 0 ? this.#addresses.get(host) : host
    if (known === undefined && this.#now() < (this.#unresolvedUntil.get(host) ?? 0)) return undefined
    return known === undefined ? this.#resolve(host).then(endpoint) : endpoint(known)
  }

  /** Closes links that nobody used for a minute, so that callers' addresses do not pile up. */
  async closeIdle(keep: ReadonlySet<ProxyLink>): Promise<void> {
    const oldest = this.#now() - CLOSE_AFTER_MS
    for (const [host, until] of this.#unresolvedUntil) if (until < oldest) this.#unresolvedUntil.delete(host)
    for (const [key, link] of this.#links) {
      if (link.usedAt > oldest || link.pending.size > 0 || keep.has(link)) continue
      this.#links.delete(key)
      await link.close()
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.close()))
    this.#links.clear()
  }

  #link(address: string, port: number): ProxyLink {
    const key = keyOf({ address, port })
    let link = this.#links.get(key)
    if (link === undefined) {
      link = new ProxyLink(address, port, this.#handlers, this.#now)
      this.#links.set(key, link)
    }
    return link
  }

  async #resolve(host: string): Promise<string | undefined> {
    const answer = await this.#resolver.resolve(host)
    if (answer.kind === 'resolved') {
      this.#addresses.set(host, answer.address)
      this.#unresolvedUntil.delete(host)
      return answer.address
    }
    if (!this.#unresolvedUntil.has(host)) this.#log.warn({ host, code: answer.code }, 'host not resolved')
    this.#unresolvedUntil.set(host, this.#now() + UNRESOLVED_MS)
    return this.#addresses.get(host)
  }
}

const keyOf = ({ address, port }: { readonly address: string; readonly port: number }): string => `${address} ${port}`
