import { setTimeout as sleep } from 'node:timers/promises'
import type { ProbeConfig } from '@siplb/contracts'
import { createTicker, type Component, type Ticker } from '@siplb/runtime'
import { probeAddress } from '../domain/probe-request.ts'
import { NEXT_TICK } from '../domain/probe-schedule.ts'
import type { ProbedProxy } from '../domain/probed-proxy.ts'
import { healthy, ticked } from '../domain/self-health.ts'
import { probersOf } from '../domain/sharing.ts'
import { LoadQuery } from './load-query.ts'
import { ProbeTarget, type ProbeTools } from './probe-target.ts'
import { ProxyLoad } from './proxy-load.ts'

/** The longest that a batch waits; short, so that a stall of the loop is noticed soon after it began. */
const TICK_MS = 20
/** The longest sleep: so soon a change of the list, or another prober's silence, is noticed. */
const SLEEP_MS = 250
/** How long a stop waits for canary calls to end: two retransmissions of a BYE or CANCEL. */
const LAST_CALLS_MS = 2000

export interface ProbeLoopOptions extends ProbeTools {
  readonly self: string
  readonly settings: ProbeConfig
  /** The proxies of the installation; the same map until something changed. */
  readonly proxies: (now: number) => ReadonlyMap<string, ProbedProxy>
  /** All living probers, this one included, sorted. */
  readonly probers: (now: number) => readonly string[]
}

interface Probed {
  readonly proxy: ProbedProxy
  readonly target: ProbeTarget
  readonly query: LoadQuery | undefined
}

/**
 * The one clock of the prober: every tick publishes what was measured, and asks whatever is due.
 *
 * T1. While a probe is under way, or a sample waits to be published, ticks come at a steady rate: by them it is known when this process
 *     was late, and no sample is published before a tick that came after it.
 * T2. Else it sleeps until something is due: nothing is measured that a stall could falsify.
 */
export class ProbeLoop implements Component {
  readonly name = 'probe-loop'
  readonly #options: ProbeLoopOptions
  readonly #ticker: Ticker
  readonly #probed = new Map<string, Probed>()
  /** Probed no more; their calls are being ended. */
  readonly #leaving = new Set<ProbeTarget>()
  /** Outlive a proxy's stay with us: what was learnt of it is kept while it is in the list. */
  readonly #loads = new Map<string, ProxyLoad>()
  #settings: ProbeConfig
  #health = healthy
  #tickedAt = -Infinity
  #loggedFor = ''
  #sharedFor: { readonly proxies: ReadonlyMap<string, ProbedProxy>; readonly probers: string } | undefined

  constructor(options: ProbeLoopOptions) {
    this.#options = options
    this.#settings = options.settings
    const onError = (error: unknown) => options.log.error({ err: error }, 'tick failed')
    this.#ticker = createTicker({
      name: this.name,
      everyMs: TICK_MS,
      nextAt: () => this.#nextAt(),
      run: (now, lateMs) => this.#tick(now, lateMs),
      onError,
    })
    options.signals.onAdded = () => this.#ticker.wake()
  }

  /** How many proxies this prober probes. */
  get size(): number {
    return this.#probed.size
  }

  /** Whether the last second saw a tick. */
  isRunning(now: number): boolean {
    return now - this.#tickedAt < 1000
  }

  start(): Promise<void> | void {
    return this.#ticker.start?.()
  }

  async stop(): Promise<void> {
    await this.#ticker.stop?.()
    for (const probed of this.#probed.values()) this.#leave(probed)
    this.#probed.clear()
    await this.#endCalls()
  }

  configure(settings: ProbeConfig): void {
    if (settings.vantagePoints !== this.#settings.vantagePoints) this.#sharedFor = undefined
    this.#settings = settings
    for (const { target } of this.#probed.values()) target.configure(settings)
    this.#ticker.wake()
  }

  #nextAt(): number {
    if (this.#leaving.size > 0 || !this.#options.signals.isEmpty) return NEXT_TICK
    let at = this.#tickedAt + SLEEP_MS
    for (const { target, query } of this.#probed.values()) at = Math.min(at, target.nextAt, query?.nextAt ?? at)
    return at
  }

  #tick(now: number, lateMs: number): void {
    this.#tickedAt = now
    this.#health = ticked(this.#health, now, lateMs, TICK_MS)
    this.#options.signals.flush(this.#health)
    this.#share(now)
    for (const { target, query } of this.#probed.values()) {
      target.tick(now)
      query?.tick(now)
    }
    for (const target of this.#leaving) this.#closeOnceLeft(target, now)
    // Timers run before sockets are read: who had answered by now, while we were late, is heard first.
    setImmediate(() => this.#expire(now))
  }

  #expire(now: number): void {
    for (const { target } of this.#probed.values()) target.expire(now)
  }

  #share(now: number): void {
    const proxies = this.#options.proxies(now)
    const probers = this.#options.probers(now)
    const living = probers.join()
    if (this.#sharedFor?.proxies === proxies && this.#sharedFor.probers === living) return
    if (this.#loggedFor !== living) this.#options.log.info({ probers }, 'probers share the proxies')
    this.#loggedFor = living
    this.#sharedFor = { proxies, probers: living }
    const { self } = this.#options
    const { vantagePoints } = this.#settings
    const mine = [...proxies.values()].filter(({ key }) => probersOf(key, probers, vantagePoints).includes(self))
    this.#take(new Map(mine.map((proxy) => [proxy.key, proxy])), now)
    this.#forget(proxies)
    this.#options.metrics.shared(this.#probed.size, probers.length)
  }

  #take(mine: ReadonlyMap<string, ProbedProxy>, now: number): void {
    for (const [key, probed] of this.#probed) {
      const wanted = mine.get(key)
      if (wanted !== undefined && isSame(wanted, probed.proxy)) continue
      this.#leave(probed)
      this.#probed.delete(key)
    }
    for (const [key, proxy] of mine) if (!this.#probed.has(key)) this.#add(proxy, now)
  }

  #leave({ target, query }: Probed): void {
    query?.close()
    this.#leaving.add(target)
    this.#closeOnceLeft(target, this.#options.now())
  }

  #closeOnceLeft(target: ProbeTarget, now: number): void {
    if (!target.leave(now)) return
    target.close()
    this.#leaving.delete(target)
  }

  /** A callee that says nothing is not waited for longer than that: it has its own timers. */
  async #endCalls(): Promise<void> {
    const { now } = this.#options
    const deadline = now() + LAST_CALLS_MS
    while (now() < deadline && this.#leaving.values().some((target) => target.isInCalls(now()))) {
      await sleep(TICK_MS)
      for (const target of this.#leaving) this.#closeOnceLeft(target, now())
    }
    for (const target of this.#leaving) target.close()
    this.#leaving.clear()
  }

  #add(proxy: ProbedProxy, now: number): void {
    const { metrics, random, signals, log } = this.#options
    const address = probeAddress(proxy.uri)
    if (address.kind === 'unusable') {
      const { pool, id, uri } = proxy
      log.warn({ pool, proxyId: id, uri, problem: address.problem }, 'proxy cannot be probed')
      return
    }
    const load = this.#loads.get(proxy.key) ?? new ProxyLoad(proxy, signals, metrics, log)
    load.proxy = proxy
    this.#loads.set(proxy.key, load)
    const query = LoadQuery.of(proxy.load, load, now, random)
    this.#probed.set(proxy.key, {
      proxy,
      target: new ProbeTarget(address.uri, load, this.#settings, this.#options),
      query,
    })
  }

  #forget(proxies: ReadonlyMap<string, ProbedProxy>): void {
    for (const [key, { proxy }] of this.#loads) {
      if (proxies.has(key)) continue
      this.#loads.delete(key)
      this.#options.metrics.forget(proxy)
    }
  }
}

function isSame(a: ProbedProxy, b: ProbedProxy): boolean {
  return a.uri === b.uri && JSON.stringify(a.load) === JSON.stringify(b.load)
}
