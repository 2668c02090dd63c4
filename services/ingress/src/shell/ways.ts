import { parseUri } from '@siplb/sip'
import type { Endpoint } from '@siplb/sip/transport'
import type { Target } from '../domain/branch.ts'
import { ListenerLink, type Link } from './link.ts'
import type { Listeners } from './listeners.ts'
import type { ProxyLinks } from './proxy-links.ts'

/** How to send to a target: by a link to a proxy, by the socket that a phone knows us by, or by the phone's own connection. */
export class Ways {
  readonly #links: ProxyLinks
  readonly #listeners: Listeners
  readonly #isOurselves: (uri: string) => boolean

  constructor(links: ProxyLinks, listeners: Listeners, isOurselves: (uri: string) => boolean) {
    this.#links = links
    this.#listeners = listeners
    this.#isOurselves = isOurselves
  }

  /** Undefined where there is none; a promise where a name has to be looked up first. */
  to(target: Target, local: Endpoint): Link | undefined | Promise<Link | undefined> {
    switch (target.kind) {
      case 'flow':
        return this.#toEndpoint(target.endpoint, local)
      case 'proxy':
        if (this.#isOurselves(target.uri)) return undefined
        return this.#links.hasRoomFor(target.uri) ? this.#links.linkTo(target.uri) : this.#toUri(target.uri, local)
      case 'address':
      case 'fellow':
        return this.#toUri(target.uri, local)
    }
  }

  /**
   * Undefined where no other is to be tried: a transport that the URI names is meant, and the way to a phone behind a NAT is the one
   * that it opened.
   */
  forLarge(target: Target, link: Link): Promise<Link | undefined> | undefined {
    const isNamed = target.kind === 'flow' || parseUri(target.uri)?.params.has('transport') === true
    return isNamed || link.endpoint.transport !== 'udp' ? undefined : this.#links.streamBeside(link.endpoint)
  }

  #toUri(uri: string, local: Endpoint): Link | undefined | Promise<Link | undefined> {
    const endpoint = this.#links.endpointOf(uri)
    if (endpoint instanceof Promise) return endpoint.then((found) => this.#toFound(found, uri, local))
    return this.#toFound(endpoint, uri, local)
  }

  #toFound(endpoint: Endpoint | undefined, uri: string, local: Endpoint): Link | undefined | Promise<Link | undefined> {
    if (endpoint === undefined) return undefined
    return this.#listeners.canSendTo(endpoint) && endpoint.transport === 'udp'
      ? this.#toEndpoint(endpoint, local)
      : this.#links.linkTo(uri)
  }

  #toEndpoint(endpoint: Endpoint, local: Endpoint): Link | undefined {
    if (endpoint.transport === 'udp')
      return new ListenerLink(endpoint, (to, bytes) => this.#listeners.sendFrom(local, to, bytes))
    return this.#listeners.linkTo(endpoint)
  }
}
