import type { TlsConfig } from '@siplb/contracts'
import { TlsFiles } from '@siplb/runtime'
import type { TlsClient } from '@siplb/sip/transport'

/** Files that were renewed count for connections made so long after. */
const KEPT_MS = 10_000

/**
 * How proxies are verified, and what they are shown. The files are read when the first connection needs them: who probes by
 * UDP alone needs none.
 */
export class ProxyTls {
  readonly #now: () => number
  #config: TlsConfig
  #files: TlsFiles | undefined
  #readAt = 0

  constructor(config: TlsConfig, now: () => number) {
    this.#config = config
    this.#now = now
  }

  configure(config: TlsConfig): void {
    this.#config = config
    this.#files = undefined
  }

  /** @throws Error that names the file which cannot be read or is no PEM */
  towards(host: string): TlsClient {
    if (this.#files === undefined || this.#now() - this.#readAt >= KEPT_MS) {
      // Of what callers are shown and asked for the prober has no use.
      const { cert, key, proxyCa, verifyProxies } = this.#config
      this.#files = new TlsFiles({ cert, key, proxyCa, verifyProxies, servers: {}, requireClientCert: false })
      this.#readAt = this.#now()
    }
    return this.#files.towards(host)
  }
}
