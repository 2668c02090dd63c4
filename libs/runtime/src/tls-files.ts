import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { createSecureContext } from 'node:tls'

/** Names of PEM files, as `ingress.tls` of the configuration gives them. */
export interface TlsFileNames {
  readonly cert?: string | undefined
  readonly key?: string | undefined
  readonly servers: Readonly<Record<string, { readonly cert: string; readonly key: string }>>
  readonly ca?: string | undefined
  readonly requireClientCert: boolean
  readonly proxyCa?: string | undefined
  readonly verifyProxies: boolean
}

interface Pair {
  readonly cert: Buffer
  readonly key: Buffer
}

/** What callers are shown, and asked for. */
export interface ServerTls extends Pair {
  readonly servers: Record<string, Pair>
  readonly requestCert: boolean
  readonly ca?: Buffer
}

/** How a proxy is verified, and what it is shown. */
export interface ClientTls extends Partial<Pair> {
  readonly servername?: string
  readonly ca?: Buffer
  readonly rejectUnauthorized: boolean
}

interface Contents {
  readonly server: ServerTls | undefined
  readonly client: Omit<ClientTls, 'servername'>
}

/** The certificates and keys in files, as they are now. What does not load leaves what was there before. */
export class TlsFiles {
  #names: TlsFileNames
  #contents: Contents

  /** @throws Error that names the file which cannot be read or is no PEM */
  constructor(names: TlsFileNames) {
    this.#names = names
    this.#contents = load(names)
  }

  /** Undefined where no certificate is configured. */
  server(): ServerTls | undefined {
    return this.#contents.server
  }

  towards(host: string): ClientTls {
    return { ...this.#contents.client, ...(isIP(host) === 0 && host !== '' ? { servername: host } : {}) }
  }

  /**
   * Reads the files again; true when anything in them changed.
   *
   * @throws Error as the constructor does
   */
  reload(names: TlsFileNames = this.#names): boolean {
    const before = JSON.stringify(this.#contents)
    this.#contents = load(names)
    this.#names = names
    return JSON.stringify(this.#contents) !== before
  }
}

function load(names: TlsFileNames): Contents {
  const { cert, key, ca, proxyCa, requireClientCert, verifyProxies } = names
  const own = cert === undefined || key === undefined ? undefined : pairOf(cert, key)
  const servers = Object.fromEntries(
    Object.entries(names.servers).map(([host, pair]) => [host, pairOf(pair.cert, pair.key)]),
  )
  const authority = ca === undefined ? {} : { ca: authorityOf(ca) }
  return {
    server: own === undefined ? undefined : { ...own, servers, requestCert: requireClientCert, ...authority },
    client: {
      ...own,
      ...(proxyCa === undefined ? {} : { ca: authorityOf(proxyCa) }),
      rejectUnauthorized: verifyProxies,
    },
  }
}

function pairOf(certFile: string, keyFile: string): Pair {
  const pair = { cert: readFileSync(certFile), key: readFileSync(keyFile) }
  checked(`certificate ${certFile} and key ${keyFile}`, () => createSecureContext(pair))
  return pair
}

function authorityOf(file: string): Buffer {
  const ca = readFileSync(file)
  checked(`authority ${file}`, () => createSecureContext({ ca }))
  return ca
}

function checked(what: string, work: () => unknown): void {
  try {
    work()
  } catch (error) {
    throw new Error(`${what} cannot be used: are they PEM, and do they belong together?`, { cause: error })
  }
}
