import type { Bus } from '@siplb/bus'
import { weightsShadowed, type ProxyRecord, type Traffic, type WeightTable } from '@siplb/contracts'
import type { Logger } from '@siplb/runtime'
import {
  maySay,
  newsIn,
  newSpeech,
  nextTable,
  Pool,
  spoken,
  withPresentFigures,
  type Frame,
  type Settings,
  type Speech,
  type Weighing,
} from '@siplb/weighing'
import { WouldBeRates } from '../domain/would-be-rates.ts'
import { snapshotEvent } from '../domain/table-events.ts'
import type { WeigherMetrics } from '../metrics.ts'
import type { ProxyList } from './proxy-list.ts'
import type { TableWriter } from './table-writer.ts'
import type { WriterLeases } from './writer-leases.ts'

export interface ShadowKeeperOptions {
  /** Of the pool whose shadow it is. */
  readonly id: string
  readonly settings: Settings
  readonly bus: Bus
  readonly list: ProxyList
  readonly tables: TableWriter
  readonly leases: WriterLeases
  readonly metrics: WeigherMetrics
  readonly log: Logger
  readonly now: () => number
}

/**
 * The shadow of a pool: weighs the same events by other settings, and says what it would say. Nothing is stored, and nobody
 * chooses by it.
 *
 * S1. It reads what the live pool has said, and changes nothing of it.
 * S2. It takes its turn behind the live pool: the table that counts is on its way by then.
 */
export class ShadowKeeper {
  readonly pool: Pool
  readonly #options: ShadowKeeperOptions
  readonly #rates = new WouldBeRates()
  #settings: Settings
  #speech: Speech
  #said: WeightTable | undefined
  #snapshotAt = Number.NEGATIVE_INFINITY
  #isRestored = false
  #isDue = false

  constructor(options: ShadowKeeperOptions) {
    this.#options = options
    this.#settings = options.settings
    this.pool = new Pool(options.settings)
    this.#speech = newSpeech(options.now())
    for (const [proxy, record] of options.list.rowsOf(options.id)) this.setRow(proxy, record, options.now())
  }

  /** The last table that it said; undefined while it has said none. */
  get said(): WeightTable | undefined {
    return this.#said
  }

  configure(settings: Settings): void {
    this.#settings = settings
    this.pool.configure(settings)
  }

  setRow(id: string, record: ProxyRecord | undefined, now: number): void {
    if (record !== undefined) return this.pool.put(record, now)
    this.pool.remove(id)
  }

  trafficked(traffic: Traffic, now: number): void {
    this.#rates.heard(traffic, now)
    this.pool.trafficked(traffic, now)
  }

  tick(now: number): void {
    if (this.#isDue) return
    this.#isDue = true
    setImmediate(() => {
      this.#isDue = false
      try {
        this.#weigh(now)
      } catch (error) {
        this.#options.log.error({ err: error, poolId: this.#options.id }, 'shadow not weighed')
      }
    })
  }

  #weigh(now: number): void {
    const { id, list, tables, leases } = this.#options
    if (!list.hasCaughtUp || !tables.hasCaughtUp) return
    // Who is out and who grows is so in either world.
    const live = tables.said(id)
    if (!this.#isRestored && live !== undefined) this.pool.restore(live, now)
    this.#isRestored = true
    const weighing = this.#withRates(this.pool.weigh(now), now)
    const epoch = leases.epochOf(id)
    // The writer speaks, and not before it has spoken for the live pool.
    if (epoch !== undefined && live?.epoch === epoch) this.#say(epoch, weighing, now)
  }

  #say(epoch: number, weighing: Weighing, now: number): void {
    const frame = this.#frame()
    const { deadBand } = this.#settings.weights
    const said = this.#said
    const news = said?.epoch === epoch ? newsIn(said, frame, weighing, deadBand) : 'urgent'
    if (said !== undefined && !maySay(this.#speech, news, now)) return this.#repeat(said, weighing, now)
    this.#speech = spoken(this.#speech, news, now)
    this.#said = nextTable(said, frame, weighing, epoch, deadBand)
    this.#options.metrics.shadowed(frame.pool)
    this.#publish(this.#said, now)
  }

  #repeat(said: WeightTable, weighing: Weighing, now: number): void {
    if (now - this.#snapshotAt < this.#settings.weights.snapshotMs) return
    this.#publish(withPresentFigures(said, weighing), now)
  }

  #publish(table: WeightTable, now: number): void {
    this.#snapshotAt = now
    this.#options.bus.publish(weightsShadowed, { pool: table.pool }, snapshotEvent(table))
  }

  /** The real rates tell of the choices of the live pool: in their place stand those of its own. */
  #withRates(weighing: Weighing, now: number): Weighing {
    const rateOf = this.#rates.at(now)
    const proxies = weighing.proxies.map((proxy) => {
      const { requestsPerSecond: _, ...signals } = proxy.signals
      return { ...proxy, signals: rateOf === undefined ? signals : { ...signals, requestsPerSecond: rateOf(proxy.id) } }
    })
    return { ...weighing, proxies }
  }

  #frame(): Frame {
    const { policy, strict } = this.#settings
    return { pool: this.#options.id, writer: this.#options.bus.instance, policy, strict, costs: this.pool.costs }
  }
}
