import type { Logger } from '@siplb/runtime'
import type { Uri } from '@siplb/sip'
import type { Locator, Packet, Place, SocketProblem } from '@siplb/sip/transport'
import { chooseEndpoint, isSameEndpoint } from '../domain/endpoint-choice.ts'
import { NEXT_TICK } from '../domain/probe-schedule.ts'
import { connectProbe, type ProbeConnection } from './probe-connection.ts'
import type { ProxyTls } from './proxy-tls.ts'

/** A named host may move: located again every 30 s, and soon after a loss. Names only; an address stays what it is. */
const LOCATE_EVERY_MS = 30_000
const LOCATE_AFTER_LOSS_MS = 2000

interface ProbeSocketHandlers {
  onPacket(packet: Packet): void
  onRefused(problem: SocketProblem): void
  onError(problem: SocketProblem): void
  /** There is a way, for the first time or again. */
  onOpen(): void
  /** A connection could not be made: `code` as the system or TLS names it. */
  onUnconnected(code: string): void
  /** What was asked by this connection is not answered any more. */
  onClosed(): void
}

export interface ProbeSocketOptions {
  readonly uri: Uri
  readonly locator: Locator
  readonly tls: ProxyTls
  readonly handlers: ProbeSocketHandlers
  readonly log: Logger
}

/**
 * The way to one proxy, opened in the background: a connected UDP socket, so that it hears nobody but the proxy and of refusals
 * at once, or one connection, made anew for the next probe after it ended. Another one when the name means another place.
 */
export class ProbeSocket {
  readonly #options: ProbeSocketOptions
  #connection: ProbeConnection | undefined
  /** Where the connection leads. */
  #openTo: Place | undefined
  /** Where the next one will, another one as long as there is doubt. */
  #endpoint: Place | undefined
  #isOpening = false
  #isClosed = false
  #isFailing = false
  #isDoubted = false
  #locateAt = 0

  constructor(options: ProbeSocketOptions) {
    this.#options = options
  }

  /** Undefined while there is no way. */
  get connection(): ProbeConnection | undefined {
    return this.#connection?.isOpen === true ? this.#connection : undefined
  }

  /** Whether the way is a connection, which can be asked for: what cannot be made then tells something of the proxy. */
  get isDialled(): boolean {
    return this.#endpoint !== undefined && this.#endpoint.transport !== 'udp'
  }

  /** Whether a probe that is due can be sent, or wait for its connection. */
  get hasWay(): boolean {
    return this.connection !== undefined || this.isDialled
  }

  /** `isWanted`: somebody waits for a connection. */
  tick(now: number, isWanted: boolean): void {
    const isMissing = isWanted && this.isDialled && this.connection === undefined
    if (this.#isOpening || (now < this.#locateAt && !isMissing)) return
    this.#isOpening = true
    void this.#open(now).finally(() => (this.#isOpening = false))
  }

  /** When it wants a tick that nobody waits for. */
  get nextAt(): number {
    return this.#isOpening ? NEXT_TICK : this.#locateAt
  }

  /** Nothing was heard: has it moved? */
  doubt(now: number): void {
    this.#isDoubted = true
    this.#locateAt = Math.min(this.#locateAt, now + LOCATE_AFTER_LOSS_MS)
  }

  trust(): void {
    this.#isDoubted = false
    this.#endpoint = this.#openTo
  }

  close(): void {
    this.#isClosed = true
    void this.#connection?.close()
    this.#connection = undefined
  }

  async #open(now: number): Promise<void> {
    const isDoubted = this.#isDoubted && now >= this.#locateAt
    const endpoint = now < this.#locateAt ? this.#endpoint : await this.#locate(now, isDoubted)
    if (endpoint === undefined || this.#isClosed) return
    this.#endpoint = endpoint
    const isThere = this.connection !== undefined && isSameEndpoint(endpoint, this.#openTo)
    // A connection whose other end vanished looks open for minutes.
    if (isThere && !(isDoubted && this.isDialled)) return
    let connection: ProbeConnection
    try {
      connection = await this.#connect(endpoint)
    } catch (error) {
      if (!isThere && this.isDialled) await this.#drop()
      return this.#unconnected(error, now)
    }
    await this.#replace(connection, endpoint)
  }

  async #locate(now: number, isDoubted: boolean): Promise<Place | undefined> {
    const { uri, locator } = this.#options
    this.#locateAt = now + LOCATE_EVERY_MS
    const located = await (isDoubted ? locator.locateAnew(uri) : locator.locate(uri))
    if (located.kind === 'located') return chooseEndpoint(located.endpoints, this.#endpoint, isDoubted)
    this.#locateAt = now + LOCATE_AFTER_LOSS_MS
    this.#sayFailing(located.code)
    return undefined
  }

  async #connect(endpoint: Place): Promise<ProbeConnection> {
    const { handlers, tls, uri } = this.#options
    return connectProbe(endpoint, () => tls.towards(uri.hostname), {
      onPacket: (packet) => handlers.onPacket(packet),
      onRefused: (problem) => handlers.onRefused(problem),
      onProblem: (problem) => handlers.onError(problem),
      onClosed: (connection) => {
        if (connection !== this.#connection) return
        this.#connection = undefined
        handlers.onClosed()
      },
    })
  }

  async #replace(connection: ProbeConnection, endpoint: Place): Promise<void> {
    if (this.#isClosed) return connection.close()
    const { uri, log, handlers } = this.#options
    const before = this.#connection
    this.#connection = connection
    const isAnother = this.#openTo !== undefined && !isSameEndpoint(endpoint, this.#openTo)
    if (isAnother || this.#isFailing) log.info({ host: uri.host, ...endpoint }, 'proxy has an address')
    this.#openTo = endpoint
    this.#isFailing = false
    handlers.onOpen()
    await before?.close()
  }

  async #drop(): Promise<void> {
    const before = this.#connection
    this.#connection = undefined
    await before?.close()
  }

  #unconnected(error: unknown, now: number): void {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    this.#sayFailing(error instanceof Error ? error.message : String(error))
    if (this.isDialled) this.#options.handlers.onUnconnected(code)
    else this.#locateAt = now + LOCATE_AFTER_LOSS_MS
  }

  #sayFailing(problem: string): void {
    const { uri, log } = this.#options
    if (!this.#isFailing) log.warn({ host: uri.host, problem }, 'proxy cannot be probed: no way to its address')
    this.#isFailing = true
  }
}
