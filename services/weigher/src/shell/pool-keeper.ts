import type { Bus } from '@siplb/bus'
import { proxyStateChanged, tableSnapshot, weightsChanged, type ProxyRecord, type WeightTable } from '@siplb/contracts'
import type { Logger } from '@siplb/runtime'
import {
  maySay,
  newsIn,
  newSpeech,
  nextTable,
  Pool,
  spoken,
  stateChanges,
  takenOver,
  withPresentFigures,
  type Frame,
  type Settings,
  type Speech,
  type Weighing,
} from '@siplb/weighing'
import { snapshotEvent, tableEvents } from '../domain/table-events.ts'
import type { PoolFigures, WeigherMetrics } from '../metrics.ts'
import type { ProxyList } from './proxy-list.ts'
import type { TableWriter } from './table-writer.ts'
import type { WriterLeases } from './writer-leases.ts'

export interface PoolKeeperOptions {
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

/** One pool: weighs it at every tick, and, where this replica holds the lease, says what is worth saying. */
export class PoolKeeper {
  readonly pool: Pool
  readonly #options: PoolKeeperOptions
  #settings: Settings
  #speech: Speech
  #snapshotAt = Number.NEGATIVE_INFINITY
  #isRestored = false
  #isBusy = false
  /** Under which epoch the file's proxies were brought into the list; undefined after a reload. */
  #importedFor: number | undefined
  #problem = ''
  #weighing: Weighing | undefined
  /** Highest that an ingress chose by: its memory may be longer than the store's. */
  ingressEpoch = 0
  /** When the table was last found true. */
  #trueAt: number

  constructor(options: PoolKeeperOptions) {
    this.#options = options
    this.#settings = options.settings
    this.pool = new Pool(options.settings)
    this.#trueAt = options.now()
    this.#speech = newSpeech(this.#trueAt)
  }

  get id(): string {
    return this.#options.id
  }

  figures(): PoolFigures {
    const { tables, leases, now } = this.#options
    return {
      pool: this.id,
      proxies: this.#weighing?.proxies ?? [],
      said: tables.said(this.id),
      isWriter: leases.epochOf(this.id) !== undefined,
      ageMs: now() - this.#trueAt,
    }
  }

  /** What was said last, with the figures that this replica sees now; undefined while nothing was said. */
  table(): WeightTable | undefined {
    const said = this.#options.tables.said(this.id)
    return said === undefined || this.#weighing === undefined ? said : withPresentFigures(said, this.#weighing)
  }

  configure(settings: Settings): void {
    this.#settings = settings
    this.#importedFor = undefined
    this.pool.configure(settings)
  }

  setRow(id: string, record: ProxyRecord | undefined, now: number): void {
    if (record !== undefined) return this.pool.put(record, now)
    this.pool.remove(id)
  }

  /** A standby's table is true as long as it hears of it; so is one that the holder repeats. */
  heard(now: number): void {
    this.#trueAt = now
  }

  tick(now: number): void {
    const { list, tables, leases } = this.#options
    if (!list.hasCaughtUp || !tables.hasCaughtUp) return
    const said = tables.said(this.id)
    if (!this.#isRestored && said !== undefined) this.pool.restore(said, now)
    this.#isRestored = true
    const weighing = this.pool.weigh(now)
    const epoch = leases.epochOf(this.id)
    this.#weighing = weighing
    if (epoch === undefined || this.#isBusy) return
    this.#isBusy = true
    void this.#keep(epoch, weighing, said, now).finally(() => (this.#isBusy = false))
  }

  async #keep(epoch: number, weighing: Weighing, said: WeightTable | undefined, now: number): Promise<void> {
    const { metrics, log, list } = this.#options
    try {
      if (this.#importedFor !== epoch) {
        // What comes by it is weighed at the next tick.
        if (await list.import(this.id)) this.#importedFor = epoch
      } else {
        await this.#say(epoch, weighing, said, now)
      }
      this.#problem = ''
    } catch (error) {
      metrics.writeFailed(this.id, 'store')
      const problem = error instanceof Error ? error.message : String(error)
      if (problem !== this.#problem) log.warn({ poolId: this.id, problem }, 'weights not written; it is tried again')
      this.#problem = problem
    }
  }

  async #say(epoch: number, weighing: Weighing, said: WeightTable | undefined, now: number): Promise<void> {
    const frame = this.#frame()
    const { deadBand } = this.#settings.weights
    const isFirst = said === undefined || said.epoch !== epoch
    const news = isFirst ? 'urgent' : newsIn(said, frame, weighing, deadBand)
    if (!isFirst && !maySay(this.#speech, news, now)) {
      this.#trueAt = now
      return this.#repeat(now)
    }
    const isTakeover = isFirst && said !== undefined
    const next = isTakeover
      ? takenOver(said, frame, weighing, epoch)
      : nextTable(said, frame, weighing, epoch, deadBand)
    const { tables, metrics, leases } = this.#options
    if (!(await tables.write(next))) {
      metrics.writeFailed(this.id, 'conflict')
      return leases.doubt(this.id)
    }
    this.#trueAt = now
    this.#speech = spoken(this.#speech, news, now)
    this.#publish(next, said, weighing, now)
  }

  #publish(next: WeightTable, said: WeightTable | undefined, weighing: Weighing, now: number): void {
    const { bus, metrics, log } = this.#options
    const { pool, epoch, seq } = next
    tableEvents(next, said).forEach((event, i) => {
      const id = `${pool}:${epoch}:${seq}`
      bus.publish(weightsChanged, { pool }, event, i === 0 ? id : `${id}:${i}`)
    })
    this.#snapshotAt = now
    metrics.published(pool)
    for (const change of stateChanges(said, next, weighing)) {
      const { proxy, state, prevState, cause, actor } = change
      bus.publish(proxyStateChanged, { pool, proxy }, change, `${pool}:${proxy}:${epoch}:${seq}`)
      const level = state === 'down' || state === 'ejected' ? 'warn' : 'info'
      log[level]({ poolId: pool, proxyId: proxy, state, prevState, cause, actor }, 'proxy state changed')
    }
  }

  #repeat(now: number): void {
    const table = this.table()
    if (table === undefined || now - this.#snapshotAt < this.#settings.weights.snapshotMs) return
    this.#snapshotAt = now
    this.#options.bus.publish(tableSnapshot, { pool: this.id }, snapshotEvent(table))
  }

  #frame(): Frame {
    const { policy, strict } = this.#settings
    return { pool: this.id, writer: this.#options.bus.instance, policy, strict, costs: this.pool.costs }
  }
}
