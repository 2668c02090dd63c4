import { isIP } from 'node:net'
import { hostPort, parseUri, type Uri } from '@siplb/sip'
import type { Endpoint, Locator, TlsClient } from '@siplb/sip/transport'
import { nextTurn, type Logger } from '@siplb/runtime'
import type { Link } from './link.ts'
import type { LinkHandlers, ProxyLink } from './proxy-link.ts'
import { StreamLink } from './stream-link.ts'
import { UdpLink } from './udp-link.ts'

const CLOSE_AFTER_MS = 60_000
/** Each link is a descriptor of the process and some buffers. */
const MOST_LINKS = 1000
/** To who hung up before he was answered: a few, or whoever names many ports would have us look for the open ones. */
const MOST_BACK = 8
const MOST_UNLOCATED = 1000
/** Thousands of them would hold up calls. */
const PREPARED_IN_A_TURN = 50
/** Who takes no connection for what is too large for a datagram is not asked again so soon. */
const NO_STREAM_MS = 60_000
/** How long a large request waits for such a connection. */
const LARGE_WAIT_MS = 500

export interface ProxyLinksOptions {
  readonly locator: Locator
  readonly handlers: LinkHandlers
  readonly now: () => number
  readonly log: Logger
  /** A connection that was made to us from there, which serves both ways (RFC 3261, 18). */
  readonly accepted: (remote: Endpoint) => Link | undefined
  /** `servername`: the host as the URI names it. */
  readonly tls: (servername: string) => TlsClient
}

/** Links by address, shared by all proxies and dialogs that go there. */
export class ProxyLinks {
  readonly #links = new Map<string, ProxyLink>()
  /** Of URIs that name an address. */
  readonly #fixed = new Map<string, ProxyLink>()
  readonly #withoutStream = new Map<string, number>()
  readonly #unlocated = new Set<string>()
  readonly #options: ProxyLinksOptions

  constructor(options: ProxyLinksOptions) {
    this.#options = options
  }

  /** The link for a SIP URI; a promise only where its host is a name that was not resolved before. */
  linkTo(uri: string): Link | undefined | Promise<Link | undefined> {
    const fixed = this.#fixed.get(uri)
    if (fixed !== undefined) return fixed
    const parsed = parseUri(uri)
    if (parsed === undefined || parsed.host === '') return undefined
    const known = this.#options.locator.known(parsed)
    if (known !== undefined) return this.#keptIfFixed(uri, parsed, this.#best(known, parsed))
    return this.#locate(parsed).then((endpoints) => this.#best(endpoints, parsed))
  }

  /** The link for a URI whose host was resolved before, as far as we opened it ourselves. */
  knownLinkTo(uri: string): ProxyLink | undefined {
    const fixed = this.#fixed.get(uri)
    if (fixed !== undefined) return fixed
    if (!this.hasRoomFor(uri)) return undefined
    const link = this.linkTo(uri)
    if (link instanceof Promise || link === undefined) return undefined
    return this.#links.get(keyOf(link.endpoint, serverNameOf(uri)))
  }

  /** All places that a URI is known to lead to, the first choice first. */
  knownEndpointsOf(uri: string): readonly Endpoint[] {
    const parsed = parseUri(uri)
    return parsed === undefined || parsed.host === '' ? [] : (this.#options.locator.known(parsed) ?? [])
  }

  /** Where a SIP URI leads; a promise only where its host is a name that was not resolved before. */
  endpointOf(uri: string): Endpoint | undefined | Promise<Endpoint | undefined> {
    const parsed = parseUri(uri)
    if (parsed === undefined || parsed.host === '') return undefined
    const known = this.#options.locator.known(parsed)
    return known === undefined ? this.#locate(parsed).then(([first]) => first) : known[0]
  }

  /** Whether a proxy has, or can have, a socket of its own; others are reached by the listening one. */
  hasRoomFor(uri: string): boolean {
    if (this.#fixed.has(uri)) return true
    const [endpoint] = this.knownEndpointsOf(uri)
    if (this.#links.size < MOST_LINKS) return true
    return endpoint !== undefined && (endpoint.transport !== 'udp' || this.#links.has(keyOf(endpoint, '')))
  }

  /** Resolves the names anew and opens the sockets, so that the first request finds them open. */
  async prepare(uris: readonly string[]): Promise<void> {
    const prepareOne = async (uri: string) => {
      const parsed = parseUri(uri)
      if (parsed === undefined || parsed.host === '') return
      await this.#locate(parsed)
      await this.knownLinkTo(uri)?.open()
    }
    const prepared: Promise<void>[] = []
    for (const uri of uris) {
      if (prepared.push(prepareOne(uri)) % PREPARED_IN_A_TURN === 0) await nextTurn()
    }
    await Promise.all(prepared)
  }

  /**
   * The connection to the same place for what is too large for a datagram (RFC 3261, 18.1.1). Undefined where none is taken: then
   * it goes by UDP after all.
   */
  async streamBeside({ address, port }: Endpoint): Promise<Link | undefined> {
    const { now } = this.#options
    const endpoint: Endpoint = { transport: 'tcp', address, port }
    const key = keyOf(endpoint, '')
    if (now() < (this.#withoutStream.get(key) ?? 0)) return undefined
    const link = this.#link(endpoint, '')
    if (!(link instanceof StreamLink)) return link
    if (!link.isOpen) await Promise.race([link.open(), afterMs(LARGE_WAIT_MS)])
    if (link.isOpen) return link
    this.#withoutStream.set(key, now() + NO_STREAM_MS)
    return undefined
  }

  /** The way to an address, as it stands: for a response whose connection is gone. Undefined where too many lead there. */
  linkBack(endpoint: Endpoint): Link | undefined {
    if (this.#links.has(keyOf(endpoint, ''))) return this.#link(endpoint, '')
    let toThere = 0
    for (const { endpoint: known } of this.#links.values()) if (isSameHost(known, endpoint)) toThere += 1
    return toThere < MOST_BACK && this.#links.size < MOST_LINKS ? this.#link(endpoint, '') : undefined
  }

  /** Closes links that nobody used for a minute, so that callers' addresses do not pile up. */
  async closeIdle(keep: ReadonlySet<ProxyLink>): Promise<void> {
    const now = this.#options.now()
    for (const [key, until] of this.#withoutStream) if (until < now) this.#withoutStream.delete(key)
    for (const [key, link] of this.#links) {
      if (link.usedAt > now - CLOSE_AFTER_MS || link.pending.size > 0 || keep.has(link)) continue
      this.#links.delete(key)
      this.#fixed.clear()
      await link.close()
    }
  }

  async close(): Promise<void> {
    await Promise.all([...this.#links.values()].map((link) => link.close()))
    this.#links.clear()
    this.#fixed.clear()
  }

  /** An address leads to one place by UDP, and to none that was made to us: there is nothing to look up the next time. */
  #keptIfFixed(uri: string, { hostname, params }: Uri, link: Link | undefined): Link | undefined {
    const isFixed = link instanceof UdpLink && isIP(hostname) !== 0 && !params.has('maddr')
    if (isFixed && this.#fixed.size < MOST_LINKS) this.#fixed.set(uri, link)
    return link
  }

  /** RFC 3263, 4.3: the next place where the one before it is gone. */
  #best(endpoints: readonly Endpoint[], uri: Uri): Link | undefined {
    const links = endpoints.flatMap((endpoint) => this.#link(endpoint, uri.hostname) ?? [])
    return links.find(({ isGone }) => !isGone) ?? links[0]
  }

  #link(endpoint: Endpoint, host: string): Link | undefined {
    const accepted = endpoint.transport === 'udp' ? undefined : this.#options.accepted(endpoint)
    if (accepted !== undefined) return accepted
    const key = keyOf(endpoint, host)
    const known = this.#links.get(key)
    if (known !== undefined) return known
    const link = this.#make(endpoint, host)
    if (link !== undefined) this.#links.set(key, link)
    return link
  }

  #make(endpoint: Endpoint, host: string): ProxyLink | undefined {
    const { handlers, now, tls } = this.#options
    switch (endpoint.transport) {
      case 'udp':
        return new UdpLink(endpoint, handlers, now)
      case 'tcp':
        return new StreamLink(endpoint, handlers, now, () => undefined)
      case 'tls':
        return new StreamLink(endpoint, handlers, now, () => tls(host))
      default:
        return undefined // RFC 7118: only the client opens a WebSocket
    }
  }

  async #locate(uri: Uri): Promise<readonly Endpoint[]> {
    const { locator, log } = this.#options
    const located = await locator.locate(uri)
    if (located.kind === 'located') {
      this.#unlocated.delete(uri.host)
      return located.endpoints
    }
    if (!this.#unlocated.has(uri.host)) log.warn({ host: uri.host, code: located.code }, 'host not resolved')
    // Only so that each is logged once: who invents names makes us log, not remember.
    if (this.#unlocated.size >= MOST_UNLOCATED) this.#unlocated.clear()
    this.#unlocated.add(uri.host)
    return []
  }
}

/** Certificates are for names: two proxies at one address may show different ones. */
function keyOf({ transport, address, port }: Endpoint, host: string): string {
  return `${transport} ${address} ${port} ${transport === 'tls' ? host : ''}`
}

function isSameHost(one: Endpoint, other: Endpoint): boolean {
  return one.address === other.address && one.transport === other.transport
}

function serverNameOf(uri: string): string {
  const parsed = parseUri(uri)
  return parsed === undefined ? '' : hostPort(parsed).host
}

function afterMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
