import type { WeightRow, WeightTable } from '@siplb/contracts'
import { Counter, Gauge, type Registry } from '@siplb/runtime'
import type { WeighedProxy } from '@siplb/weighing'

export type WeigherMetrics = ReturnType<typeof createWeigherMetrics>

/** What is known of a pool when somebody reads the metrics. */
export interface PoolFigures {
  readonly pool: string
  readonly proxies: readonly WeighedProxy[]
  readonly said: WeightTable | undefined
  /** What its shadow said last, where it has one. */
  readonly shadow?: WeightTable | undefined
  readonly isWriter: boolean
  /** Since the table was last found true. */
  readonly ageMs: number
}

/** All metrics of the weigher. Figures of pools are read when they are asked for: most ticks nobody does. */
export function createWeigherMetrics(registry: Registry, figures: () => readonly PoolFigures[]) {
  const registers = [registry]
  const ofProxy = (
    name: string,
    help: string,
    value: (proxy: WeighedProxy, row: WeightRow | undefined) => number | undefined,
  ) =>
    new Gauge({
      ...{ name, help, registers },
      labelNames: ['pool', 'proxy'],
      collect() {
        this.reset()
        for (const { pool, proxies, said } of figures()) {
          const rows = new Map(said?.proxies.map((row) => [row.id, row]))
          for (const proxy of proxies) {
            const found = value(proxy, rows.get(proxy.id))
            if (found !== undefined) this.set({ pool, proxy: proxy.id }, found)
          }
        }
      },
    })
  const ofPool = (name: string, help: string, value: (pool: PoolFigures) => number | undefined) =>
    new Gauge({
      ...{ name, help, registers },
      labelNames: ['pool'],
      collect() {
        this.reset()
        for (const one of figures()) {
          const found = value(one)
          if (found !== undefined) this.set({ pool: one.pool }, found)
        }
      },
    })
  const counter = (name: string, help: string, labelNames: string[]) =>
    new Counter({ name, help, labelNames, registers })
  const published = counter('siplb_weights_published_total', 'Tables written and published.', ['pool'])
  const failures = counter('siplb_weights_write_failures_total', 'Tables not written: conflict, store.', [
    'pool',
    'problem',
  ])
  const shadowed = counter('siplb_weights_shadowed_total', 'Tables that a shadow would have said.', ['pool'])
  const ignoredLabels = ['channel', 'reason']
  const ignored = counter(
    'siplb_weigher_events_ignored_total',
    'Events of unknown pools or proxies, or repeated.',
    ignoredLabels,
  )

  ofProxy('siplb_proxy_weight', 'Effective weight, as published.', (_proxy, row) => row?.weight)
  ofProxy(
    'siplb_proxy_base_weight',
    'Base weight, as configured or set by the operator.',
    ({ baseWeight }) => baseWeight,
  )
  ofProxy('siplb_proxy_response_seconds', 'Response time that the weight goes by.', ({ signals }) =>
    signals.responseTimeMs === undefined ? undefined : signals.responseTimeMs / 1000,
  )
  ofProxy('siplb_proxy_load_ratio', 'Load, 0 to 1.', ({ signals }) => signals.load)
  ofProxy(
    'siplb_proxy_fault_ratio',
    'Believed part of requests that fail by its fault.',
    ({ signals }) => signals.faultRate,
  )
  ofProxy(
    'siplb_proxy_in_flight',
    'Requests forwarded and unfinished, over all ingresses.',
    ({ signals }) => signals.inFlight,
  )
  ofProxy('siplb_proxy_dialogs', 'Open dialogs, over all ingresses.', ({ signals }) => signals.dialogs)
  ofPool('siplb_pool_panic', '1 while proxies that are out are used too.', ({ said }) => (said?.panic === true ? 1 : 0))
  ofPool('siplb_weights_writer', '1 where this instance writes the table of the pool.', ({ isWriter }) =>
    isWriter ? 1 : 0,
  )
  ofPool('siplb_weights_epoch', 'Epoch of the table.', ({ said }) => said?.epoch)
  ofPool('siplb_weights_seq', 'Sequence number of the table within its epoch.', ({ said }) => said?.seq)
  ofPool('siplb_weights_age_seconds', 'Since the table was last found true, or heard of.', ({ ageMs }) => ageMs / 1000)
  new Gauge({
    name: 'siplb_proxy_shadow_weight',
    help: 'Weight by the shadow of the pool, as told; nobody chooses by it.',
    labelNames: ['pool', 'proxy'],
    registers,
    collect() {
      this.reset()
      for (const { pool, shadow } of figures()) {
        for (const { id, weight } of shadow?.proxies ?? []) this.set({ pool, proxy: id }, weight)
      }
    },
  })
  new Gauge({
    name: 'siplb_proxy_state',
    help: '1 for the state that the proxy is in.',
    labelNames: ['pool', 'proxy', 'state'],
    registers,
    collect() {
      this.reset()
      for (const { pool, proxies } of figures()) {
        for (const { id, state } of proxies) this.set({ pool, proxy: id, state }, 1)
      }
    },
  })
  return {
    published: (pool: string) => published.inc({ pool }),
    shadowed: (pool: string) => shadowed.inc({ pool }),
    writeFailed: (pool: string, problem: 'conflict' | 'store') => failures.inc({ pool, problem }),
    ignored: (channel: string, reason: 'unknown-pool' | 'unknown-proxy' | 'repeated') =>
      ignored.inc({ channel, reason }),
  }
}
