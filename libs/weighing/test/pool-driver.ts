import {
  config,
  load,
  responseTime,
  SketchBuilder,
  type Load,
  type ProxyRecord,
  type ProxyTraffic,
  type ResponseTime,
  type WeightTable,
} from '@siplb/contracts'
import { maySay, newSpeech, spoken } from '../src/table/speech.ts'
import { newsIn, type Frame } from '../src/table/news.ts'
import { Pool } from '../src/pool.ts'
import type { Settings } from '../src/settings.ts'
import { nextTable } from '../src/table/weight-table.ts'
import type { WeighedProxy } from '../src/table/weighed-proxy.ts'
import { report } from './support.ts'

const { weights } = config.parse({ pools: { default: { proxies: [{ id: 'a', uri: 'sip:a.example.com' }] } } })
const settings: Settings = { weights, probeIntervalMs: 1000, policy: 'least-work', strict: false }
const frame: Frame = { pool: 'default', writer: 'w', policy: 'least-work', strict: false, costs: {} }
const prober = '/siplb/prober/p1'

export function recordOf(id: string, more: Partial<ProxyRecord> = {}): ProxyRecord {
  return {
    ...{ pool: 'default', id, uri: `sip:${id}.example.com`, weight: 100, tier: 1 },
    ...{ origin: 'config', adminState: 'enabled', actor: 'configuration' },
    ...more,
  }
}

/** How one proxy behaves: what probes find, and what real traffic of 20 requests per second finds. */
export interface Behaviour {
  readonly probeMs?: number | 'lost' | 'refused' | 'unprobed'
  readonly probeStatus?: number
  /** Of INVITE until the first response; absent: no real traffic. */
  readonly liveMs?: number
  /** How its requests end. */
  readonly live?: keyof ProxyTraffic['outcomes'] | 'silence'
  readonly dialogs?: number
}

/** A pool with a hand clock: one prober and one ingress, each tick 250 ms, and the table as it would have been said. */
export class PoolDriver {
  readonly pool = new Pool(settings)
  readonly said: { readonly at: number; readonly table: WeightTable }[] = []
  now = 0
  #speech = newSpeech(0)
  readonly #ids: string[]

  constructor(...ids: string[]) {
    this.#ids = ids
    for (const id of ids) this.pool.put(recordOf(id), 0)
  }

  get table(): WeightTable {
    const last = this.said.at(-1)
    if (last === undefined) throw new Error('nothing was said yet')
    return last.table
  }

  weight(id: string): number {
    return this.table.proxies.find((row) => row.id === id)?.weight ?? Number.NaN
  }

  weights(): number[] {
    return this.table.proxies.map(({ weight }) => weight)
  }

  row(id: string): WeighedProxy | undefined {
    return this.pool.weigh(this.now).proxies.find((proxy) => proxy.id === id)
  }

  probe(id: string, result: Partial<ResponseTime>, source = prober): void {
    this.pool.probed(source, responseTime.parse({ proxy: id, ...result }), this.now)
  }

  load(id: string, value: number, more: Partial<Load> = {}): void {
    this.pool.loaded(load.parse({ proxy: id, load: value, ...more }), this.now)
  }

  /** `i1-w0` is a worker of `i1`. */
  traffic(ingress: string, ...proxies: ProxyTraffic[]): void {
    const { now } = this
    const [, instance] = /^(.+)-w\d+$/.exec(ingress) ?? []
    const who = { ingress, ...(instance === undefined ? {} : { instance }) }
    this.pool.trafficked({ ...who, intervalMs: 250, epoch: 1, seq: 1, proxies, dialogsEnded: [] }, now)
  }

  weigh(): void {
    const weighing = this.pool.weigh(this.now)
    const last = this.said.at(-1)?.table
    const news = last === undefined ? 'urgent' : newsIn(last, frame, weighing, weights.deadBand)
    if (!maySay(this.#speech, news, this.now)) return
    this.#speech = spoken(this.#speech, news, this.now)
    this.said.push({ at: this.now, table: nextTable(last, frame, weighing, 1, weights.deadBand) })
  }

  /** Lets time pass while every proxy behaves as told; a proxy that is out gets no real traffic. */
  run(ms: number, behave: (id: string, now: number) => Behaviour, ingresses: readonly string[] = ['i1']): void {
    for (const end = this.now + ms; this.now < end;) {
      this.now += 250
      if (this.now % 1000 === 0) for (const id of this.#ids) this.#scheduled(id, behave(id, this.now))
      for (const ingress of ingresses)
        this.traffic(ingress, ...this.#ids.flatMap((id) => this.#reports(id, behave(id, this.now))))
      this.weigh()
    }
  }

  #scheduled(id: string, { probeMs = 10, probeStatus = 200 }: Behaviour): void {
    if (probeMs === 'unprobed') return
    if (typeof probeMs === 'number') return this.probe(id, { responseTimeMs: probeMs, status: probeStatus })
    // A loss is followed up at once; that the repeats take 300 ms plays no part here.
    for (let attempt = 1; attempt <= (probeMs === 'lost' ? 4 : 1); attempt++)
      this.probe(id, { outcome: probeMs, attempt })
  }

  #reports(id: string, { liveMs, live = 'success', dialogs = 0 }: Behaviour): ProxyTraffic[] {
    const isOut = this.said.length > 0 && this.weight(id) === 0
    const requests = liveMs === undefined || isOut ? 0 : 5
    const answers = live === 'silence' || live === 'transportError' || live === 'timeout' ? 0 : requests
    const builder = new SketchBuilder()
    for (let i = 0; i < answers; i++) builder.add(liveMs ?? 0)
    const responseTimes = answers === 0 ? {} : { INVITE: builder.take() }
    return [report(id, requests, live === 'silence' ? {} : { [live]: requests }, { dialogs, responseTimes })]
  }
}
