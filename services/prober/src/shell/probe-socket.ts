import type { Logger } from '@siplb/runtime'
import { connectUdp, type ConnectionHandlers, type Resolver, type UdpConnection } from '@siplb/sip/transport'

/** A named host may move: looked up again every 30 s, and soon after a loss. Names only; an address stays what it is. */
const LOOK_UP_EVERY_MS = 30_000
const LOOK_UP_AFTER_LOSS_MS = 2000
/** A probe and its answer are small, and there may be a thousand sockets. */
const RECEIVE_BUFFER = 64 * 1024

export interface ProbeSocketOptions {
  readonly host: string
  readonly port: number
  readonly resolver: Resolver
  readonly handlers: ConnectionHandlers
  readonly log: Logger
}

/**
 * The way to one proxy: a connected socket, so that it hears nobody but the proxy, and of refusals at once. Opened in the
 * background and made anew when the name means another address.
 */
export class ProbeSocket {
  readonly #options: ProbeSocketOptions
  #connection: UdpConnection | undefined
  #isOpening = false
  #isClosed = false
  #isFailing = false
  #lookUpAt = 0

  constructor(options: ProbeSocketOptions) {
    this.#options = options
  }

  /** Undefined while there is no way yet. */
  get connection(): UdpConnection | undefined {
    return this.#connection
  }

  tick(now: number): void {
    if (this.#isOpening || now < this.#lookUpAt) return
    this.#lookUpAt = now + LOOK_UP_EVERY_MS
    void this.#open(now)
  }

  /** Nothing was heard: has it moved? */
  doubt(now: number): void {
    this.#lookUpAt = Math.min(this.#lookUpAt, now + LOOK_UP_AFTER_LOSS_MS)
  }

  close(): void {
    this.#isClosed = true
    void this.#connection?.close()
    this.#connection = undefined
  }

  async #open(now: number): Promise<void> {
    const { host, port, resolver, handlers } = this.#options
    this.#isOpening = true
    const resolved = await resolver.resolve(host)
    if (resolved.kind === 'unresolved') this.#failed(resolved.code, now)
    else if (resolved.address !== this.#connection?.remote.address) {
      try {
        await this.#replace(
          await connectUdp({ remote: { address: resolved.address, port }, receiveBuffer: RECEIVE_BUFFER }, handlers),
        )
      } catch (error) {
        this.#failed(error instanceof Error ? error.message : String(error), now)
      }
    }
    this.#isOpening = false
  }

  async #replace(connection: UdpConnection): Promise<void> {
    if (this.#isClosed) return connection.close()
    const { host, log } = this.#options
    const before = this.#connection
    this.#connection = connection
    if (before !== undefined || this.#isFailing)
      log.info({ host, address: connection.remote.address }, 'proxy has an address')
    this.#isFailing = false
    await before?.close()
  }

  #failed(problem: string, now: number): void {
    const { host, port, log } = this.#options
    this.#lookUpAt = now + LOOK_UP_AFTER_LOSS_MS
    if (!this.#isFailing) log.warn({ host, port, problem }, 'proxy cannot be probed: no way to its address')
    this.#isFailing = true
  }
}
