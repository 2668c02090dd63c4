import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { NatsConfig } from '@siplb/contracts'
import {
  connect,
  credsAuthenticator,
  Events,
  nkeyAuthenticator,
  type ConnectionOptions,
  type NatsConnection,
  type Status,
  type TlsOptions,
} from 'nats'
import type { Subscription } from './bus.ts'

export interface ConnectionLog {
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
}

const defaultServer = 'nats://127.0.0.1:4222'
const RETRY_MS = 1000
const DRAIN_MS = 500
const MAX_REFUSALS = 100

/**
 * A connection that is always wanted. The client alone gives up after ten attempts, does not wait for a first server, and
 * notices a frozen one after four minutes; here it retries for ever, and pings so often that silence shows within 2.5 s.
 */
export class KeptConnection {
  readonly #options: ConnectionOptions
  readonly #log: ConnectionLog
  readonly #listeners = new Set<(nc: NatsConnection | undefined) => void>()
  #nc: NatsConnection | undefined
  #isConnected = false
  #isClosing = false
  #retry: NodeJS.Timeout | undefined
  #lastProblem = ''
  readonly #refusals = new Set<string>()

  constructor(config: NatsConfig, name: string, log: ConnectionLog) {
    this.#options = optionsOf(config, name)
    this.#log = log
    void this.#open()
  }

  /** The connection while it is up. */
  get current(): NatsConnection | undefined {
    return this.#isConnected ? this.#nc : undefined
  }

  /** Hears the connection now and whenever it comes (anew) or goes (`undefined`). */
  onChange(listener: (nc: NatsConnection | undefined) => void): Subscription {
    this.#listeners.add(listener)
    listener(this.current)
    return { stop: () => this.#listeners.delete(listener) }
  }

  async close(): Promise<void> {
    this.#isClosing = true
    clearTimeout(this.#retry)
    // What was said is still sent. Nobody may say more, since a draining client throws.
    const drained = this.current?.drain()
    this.#set(false)
    if (drained !== undefined) await atMost(DRAIN_MS, drained)
    await this.#nc?.close()
  }

  async #open(): Promise<void> {
    try {
      const nc = await connect(this.#options)
      if (this.#isClosing) return await nc.close()
      this.#nc = nc
      this.#lastProblem = ''
      this.#log.info({ server: nc.getServer() }, 'bus connected')
      this.#set(true)
      void this.#follow(nc)
      const problem = await nc.closed()
      this.#set(false)
      if (!this.#isClosing) this.#openLater(problem)
    } catch (error) {
      this.#openLater(error)
    }
  }

  #openLater(problem: unknown): void {
    if (this.#isClosing) return
    const text = problem instanceof Error ? problem.message : 'closed'
    if (text !== this.#lastProblem) {
      this.#log.warn({ servers: this.#options.servers, problem: text }, 'bus not reached; trying on every second')
    }
    this.#lastProblem = text
    this.#retry = setTimeout(() => void this.#open(), RETRY_MS)
  }

  async #follow(nc: NatsConnection): Promise<void> {
    for await (const status of nc.status()) {
      // While a server does not let us in, each attempt ends in another `Disconnect`.
      if (status.type === Events.Disconnect && this.#isConnected) {
        this.#log.warn({}, 'bus lost')
        this.#set(false)
      } else if (status.type === Events.Reconnect && !this.#isConnected) {
        this.#log.info({ server: nc.getServer() }, 'bus back')
        this.#refusals.clear()
        this.#set(true)
      } else if (status.type === Events.Error) {
        this.#sayRefusal(status)
      }
    }
  }

  /** Once for each thing, since what may not be said is tried again and again. */
  #sayRefusal({ data, permissionContext }: Status): void {
    const refusal = JSON.stringify([data, permissionContext])
    if (this.#refusals.has(refusal) || this.#refusals.size === MAX_REFUSALS) return
    this.#refusals.add(refusal)
    this.#log.warn({ problem: data, detail: permissionContext }, 'bus refused something')
  }

  #set(isConnected: boolean): void {
    if (this.#isConnected === isConnected) return
    this.#isConnected = isConnected
    for (const listener of this.#listeners) listener(this.current)
  }
}

/** Waits no longer than that: a server that hangs must not hold up a process that ends. */
export async function atMost(ms: number, work: Promise<unknown>): Promise<void> {
  await Promise.race([work, sleep(ms, undefined, { ref: false })]).catch(() => {})
}

function optionsOf(config: NatsConfig, name: string): ConnectionOptions {
  const { user, password, credentialsFile, nkeySeedFile, tls } = config
  return {
    servers: config.servers ?? [defaultServer],
    name,
    maxReconnectAttempts: -1,
    reconnectTimeWait: 200,
    reconnectJitter: 100,
    pingInterval: 800,
    maxPingOut: 2,
    timeout: 3000,
    ignoreAuthErrorAbort: true,
    // A stack for each request, which only its failure would show, is a fifth of what the request costs; `BusError` has its own.
    noAsyncTraces: true,
    ...(user === undefined ? {} : { user }),
    ...(password === undefined ? {} : { pass: password }),
    ...(credentialsFile === undefined ? {} : { authenticator: credsAuthenticator(readFileSync(credentialsFile)) }),
    ...(nkeySeedFile === undefined ? {} : { authenticator: nkeyAuthenticator(readFileSync(nkeySeedFile)) }),
    ...(tls === undefined ? {} : { tls: withoutGaps(tls) }),
  }
}

function withoutGaps(tls: NonNullable<NatsConfig['tls']>): TlsOptions {
  const { caFile, certFile, keyFile } = tls
  return {
    ...(caFile === undefined ? {} : { caFile }),
    ...(certFile === undefined ? {} : { certFile }),
    ...(keyFile === undefined ? {} : { keyFile }),
  }
}
