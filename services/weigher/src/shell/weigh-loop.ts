import type { Bus, Received, Subscription } from '@siplb/bus'
import {
  loadReported,
  responseTimeTaken,
  trafficSeen,
  type Config,
  type EventChannel,
  type Load,
  type ResponseTime,
  type Traffic,
} from '@siplb/contracts'
import { createTicker, type Component, type Logger } from '@siplb/runtime'
import { hastyTickAt, isHasty } from '@siplb/weighing'
import { RecentIds } from '../domain/recent-ids.ts'
import type { WeigherMetrics } from '../metrics.ts'
import type { PoolKeeper } from './pool-keeper.ts'
import type { ShadowKeeper } from './shadow-keeper.ts'

export interface WeighLoopOptions {
  readonly bus: Bus
  readonly pools: ReadonlyMap<string, PoolKeeper>
  /** Of the pools that have one: they hear the same, behind them. */
  readonly shadows: ReadonlyMap<string, ShadowKeeper>
  readonly tickMs: number
  readonly metrics: WeigherMetrics
  readonly now: () => number
  readonly log: Logger
}

/** Nobody gets there by counting: a larger one is forged, and would leave no room for the next. */
const LARGEST_EPOCH = 1e9

/**
 * Folds what is heard into the pools, and weighs them at a steady rate; at once when a load is told, a probe is not answered,
 * or somebody changed the list.
 */
export class WeighLoop implements Component {
  readonly name = 'weigh-loop'
  readonly #options: WeighLoopOptions
  readonly #seen = new RecentIds()
  readonly #hasty = new Map<string, NodeJS.Timeout>()
  readonly #tickedAt = new Map<string, number>()
  #ticker: Component
  #tickMs: number
  #subscriptions: readonly Subscription[] = []
  #lastTickAt: number | undefined

  constructor(options: WeighLoopOptions) {
    this.#options = options
    this.#tickMs = options.tickMs
    this.#ticker = this.#makeTicker()
  }

  /** Whether ticks come when they are due. */
  isRunning(now: number): boolean {
    return this.#lastTickAt !== undefined && now - this.#lastTickAt < Math.max(1000, 4 * this.#tickMs)
  }

  async configure({ weights }: Config): Promise<void> {
    if (weights.tickMs === this.#tickMs) return
    await this.#ticker.stop?.()
    this.#tickMs = weights.tickMs
    this.#ticker = this.#makeTicker()
    await this.#ticker.start?.()
  }

  start(): Promise<void> | void {
    this.#subscriptions = [
      this.#hear(responseTimeTaken, (pool, event, now) => this.#probed(pool, event, now)),
      this.#hear(loadReported, (pool, { data }, now) => this.#loaded(pool, data, now)),
      this.#hear(trafficSeen, (pool, { data }, now) => this.#trafficked(pool, data, now)),
    ]
    return this.#ticker.start?.()
  }

  async stop(): Promise<void> {
    for (const subscription of this.#subscriptions) subscription.stop()
    for (const timer of this.#hasty.values()) clearTimeout(timer)
    await this.#ticker.stop?.()
  }

  /** Weighs a pool before its tick. */
  hasten(pool: string): void {
    if (this.#hasty.has(pool)) return
    const { now } = this.#options
    const at = now()
    const waitMs = hastyTickAt(at, this.#tickedAt.get(pool) ?? 0) - at
    const timer = setTimeout(() => {
      this.#hasty.delete(pool)
      this.#tick(pool, now())
    }, waitMs)
    this.#hasty.set(pool, timer)
  }

  #makeTicker(): Component {
    const run = (now: number) => {
      this.#lastTickAt = now
      for (const pool of this.#options.pools.keys()) this.#tick(pool, now)
    }
    const onError = (error: unknown) => this.#options.log.error({ err: error }, 'weighing failed')
    return createTicker({ name: this.name, everyMs: this.#tickMs, run, onError })
  }

  #tick(pool: string, now: number): void {
    this.#tickedAt.set(pool, now)
    this.#options.pools.get(pool)?.tick(now)
    this.#options.shadows.get(pool)?.tick(now)
  }

  #hear<T>(
    channel: EventChannel<T>,
    fold: (keeper: PoolKeeper, event: Received<T>, now: number) => boolean,
  ): Subscription {
    const { bus, pools, metrics, now } = this.#options
    return bus.subscribe(channel, { pool: '*' }, (event) => {
      const keeper = pools.get(event.params['pool'] ?? '')
      if (keeper === undefined) return metrics.ignored(channel.address, 'unknown-pool')
      // Our own services give each event an id of its own; a user's program may not.
      if (event.source.startsWith('/siplb/') && !this.#seen.add(`${event.source} ${event.id}`)) {
        return metrics.ignored(channel.address, 'repeated')
      }
      if (!fold(keeper, event, now())) metrics.ignored(channel.address, 'unknown-proxy')
    })
  }

  #probed(keeper: PoolKeeper, { data, source }: Received<ResponseTime>, now: number): boolean {
    if (isHasty(data)) this.hasten(keeper.id)
    const isKnown = keeper.pool.probed(source, data, now)
    this.#options.shadows.get(keeper.id)?.pool.probed(source, data, now)
    return isKnown
  }

  #loaded(keeper: PoolKeeper, data: Load, now: number): boolean {
    this.hasten(keeper.id)
    const isKnown = keeper.pool.loaded(data, now)
    this.#options.shadows.get(keeper.id)?.pool.loaded(data, now)
    return isKnown
  }

  #trafficked(keeper: PoolKeeper, data: Traffic, now: number): boolean {
    if (data.epoch <= LARGEST_EPOCH) keeper.ingressEpoch = Math.max(keeper.ingressEpoch, data.epoch)
    const isKnown = keeper.pool.trafficked(data, now)
    this.#options.shadows.get(keeper.id)?.trafficked(data, now)
    return isKnown
  }
}
