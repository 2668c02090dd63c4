import type { ProxyRecord, WeightTable } from '@siplb/contracts'
import {
  hastyTickAt,
  isHasty,
  maySay,
  newsIn,
  newSpeech,
  nextTable,
  Pool,
  spoken,
  stateChanges,
  type Frame,
  type Settings,
  type Speech,
} from '@siplb/weighing'
import { ExpectedRequests } from './expected-requests.ts'
import { Figures, type PoolFigures } from './figures.ts'
import { seeded } from './seeded.ts'
import type { Signal } from './signals.ts'

export interface ReplayedPoolOptions {
  readonly pool: string
  readonly settings: Settings
  readonly records: readonly ProxyRecord[]
  readonly isFailing: (proxy: string) => boolean
  /** Of the first signal. */
  readonly at: number
}

const SEED = 20_261_125

/** A pool that lives through stored signals as the weigher does through live ones: it ticks in their time, and speaks by its rules. */
export class ReplayedPool {
  readonly #options: ReplayedPoolOptions
  readonly #pool: Pool
  readonly #figures = new Figures()
  readonly #expected: ExpectedRequests
  #speech: Speech
  #said: WeightTable | undefined
  #tickedAt = Number.NEGATIVE_INFINITY
  #tickAt: number
  #hastyAt = Infinity

  constructor(options: ReplayedPoolOptions) {
    const { settings, records, isFailing, at } = options
    this.#options = options
    this.#pool = new Pool(settings)
    for (const record of records) this.#pool.put(record, at)
    this.#speech = newSpeech(at)
    this.#tickAt = at
    this.#expected = new ExpectedRequests(seeded(SEED), isFailing)
    this.advance(at)
  }

  /** The last table that would have been said. */
  get said(): WeightTable | undefined {
    return this.#said
  }

  /** From here on it counts. */
  begin(at: number): void {
    this.#figures.begin(at)
  }

  end(at: number): PoolFigures {
    return this.#figures.end(at)
  }

  hear(signal: Signal): void {
    this.advance(signal.at)
    this.#expected.hear(signal)
    this.#fold(signal)
    if (signal.kind !== 'traffic' || this.#said === undefined) return
    this.#figures.expected(this.#expected.of(signal.data, signal.at, this.#said), this.#options.isFailing)
  }

  /** All ticks up to then. */
  advance(at: number): void {
    for (let next = this.#nextTick(); next <= at; next = this.#nextTick()) {
      if (next >= this.#tickAt) this.#tickAt += this.#options.settings.weights.tickMs
      if (next >= this.#hastyAt) this.#hastyAt = Infinity
      this.#tickedAt = next
      this.#tick(next)
    }
  }

  #nextTick(): number {
    return Math.min(this.#tickAt, this.#hastyAt)
  }

  #fold({ kind, data, source, at }: Signal): void {
    switch (kind) {
      case 'probe':
        if (isHasty(data)) this.#hasten(at)
        return void this.#pool.probed(source, data, at)
      case 'load':
        this.#hasten(at)
        return void this.#pool.loaded(data, at)
      case 'traffic':
        return void this.#pool.trafficked(data, at)
    }
  }

  #hasten(at: number): void {
    this.#hastyAt = Math.min(this.#hastyAt, hastyTickAt(at, this.#tickedAt))
  }

  #tick(now: number): void {
    const { deadBand } = this.#options.settings.weights
    const frame = this.#frame()
    const weighing = this.#pool.weigh(now)
    const said = this.#said
    const news = said === undefined ? 'urgent' : newsIn(said, frame, weighing, deadBand)
    if (!maySay(this.#speech, news, now)) return
    this.#speech = spoken(this.#speech, news, now)
    this.#said = nextTable(said, frame, weighing, 1, deadBand)
    this.#figures.said(this.#said, stateChanges(said, this.#said, weighing), now)
  }

  #frame(): Frame {
    const { policy, strict } = this.#options.settings
    return { pool: this.#options.pool, writer: 'replay', policy, strict, costs: this.#pool.costs }
  }
}
