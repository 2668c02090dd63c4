import { createNatsBus, type Bus } from '@siplb/bus'
import {
  config as configSchema,
  natsConfig,
  proxyStateChanged,
  tableSnapshot,
  weightsChanged,
  weightsQuestion,
  type Config,
  type ProxyStateChange,
  type WeightRow,
  type WeightTable,
} from '@siplb/contracts'
import { createBusCounters, createLogger, createRegistry, nowMs } from '@siplb/runtime'
import { startNats, waitFor, type TestNats } from '@siplb/testkit'
import { createWeigher } from '../../src/shell/weigher.ts'

const silentLog = { info: () => {}, warn: () => {} }
const log = createLogger('weigher', 'test', { level: process.env['TEST_LOG'] ?? 'silent' })

export function poolOf(...ids: string[]) {
  return { proxies: ids.map((id, i) => ({ id, uri: `sip:127.0.0.1:${15_070 + i}` })) }
}

/** A NATS server, a bus to speak and listen by, and what was heard on it. */
export interface Site extends AsyncDisposable {
  readonly nats: TestNats
  readonly bus: Bus
  readonly tables: WeightTable[]
  readonly snapshots: WeightTable[]
  readonly states: ProxyStateChange[]
  table(pool?: string): Promise<WeightTable>
  row(id: string, pool?: string): Promise<WeightRow>
  /** Resolves with the row once it is so. */
  until(id: string, isSo: (row: WeightRow) => boolean, ms?: number): Promise<WeightRow>
}

export async function startSite(): Promise<Site> {
  const nats = await startNats()
  const nothing = () => {}
  const observer = { published: nothing, unpublished: nothing, received: nothing, dropped: nothing }
  const bus = createNatsBus({
    config: natsConfig.parse({ servers: [nats.url] }),
    service: 'test',
    instance: 'test',
    version: '0.0.0',
    log: silentLog,
    observer,
  })
  const heard = { tables: [] as WeightTable[], snapshots: [] as WeightTable[], states: [] as ProxyStateChange[] }
  bus.subscribe(weightsChanged, { pool: '*' }, ({ data }) => heard.tables.push(data))
  bus.subscribe(tableSnapshot, { pool: '*' }, ({ data }) => heard.snapshots.push(data))
  bus.subscribe(proxyStateChanged, { pool: '*', proxy: '*' }, ({ data }) => heard.states.push(data))
  await waitFor(() => bus.isConnected(), 5000, 'the bus')
  const ask = async (pool: string) => bus.request(weightsQuestion, { pool }, {}, 500).catch(() => undefined)
  const table = (pool = 'default') => waitFor(() => ask(pool), 6000, `the table of ${pool}`)
  const row = async (id: string, pool = 'default') => {
    const found = (await table(pool)).proxies.find((one) => one.id === id)
    if (found === undefined) throw new Error(`${id} is not in the table`)
    return found
  }
  return {
    ...{ nats, bus, ...heard, table, row },
    until: (id, isSo, ms = 5000) =>
      waitFor(
        async () => {
          const found = (await table()).proxies.find((one) => one.id === id)
          return found !== undefined && isSo(found) ? found : undefined
        },
        ms,
        `${id} to be so: ${isSo.toString()}`,
      ),
    async [Symbol.asyncDispose]() {
      await bus.close()
      await nats.stop('SIGKILL')
    },
  }
}

export interface Settings {
  readonly pools: Readonly<Record<string, object>>
  readonly weights?: object
}

export interface WeigherUnderTest extends AsyncDisposable {
  readonly instance: string
  readonly config: Config
  configure(settings: Settings): void
  metrics(): Promise<string>
  /** The value of one series, as Prometheus would read it. */
  metric(series: string): Promise<number>
  pools(): Record<string, unknown>
  isReady(): boolean
  stop(): Promise<void>
}

/** The weigher in this process: everything but main.ts. */
export async function startWeigher(site: Site, settings: Settings, instance = 'w1'): Promise<WeigherUnderTest> {
  const parse = ({ pools, ...rest }: Settings) => {
    // Several pools need a match each; whom they match plays no part here.
    const matching = Object.entries(pools).map(([id, pool]) => [
      id,
      { match: { domain: `${id}.example.com` }, ...pool },
    ])
    return configSchema.parse({ ...rest, pools: Object.fromEntries(matching), nats: { servers: [site.nats.url] } })
  }
  const config = parse(settings)
  const registry = createRegistry()
  const observer = createBusCounters(registry)
  const bus = createNatsBus({
    config: config.nats,
    service: 'weigher',
    instance,
    version: '0.0.0',
    log: silentLog,
    observer,
  })
  const weigher = createWeigher({ bus, config, registry, log, now: nowMs })
  for (const component of weigher.components) await component.start?.()
  let isStopped = false
  const stop = async () => {
    if (isStopped) return
    isStopped = true
    for (const component of weigher.components.toReversed()) await component.stop?.()
    await bus.close()
  }
  return {
    ...{ instance, config, stop },
    configure: (next) => weigher.configure(parse(next)),
    metrics: () => registry.metrics(),
    async metric(series) {
      const line = (await registry.metrics()).split('\n').find((one) => one.startsWith(`${series} `))
      return line === undefined ? Number.NaN : Number(line.slice(series.length))
    },
    pools() {
      const { pools } = weigher.readiness().details
      return typeof pools === 'object' && pools !== null ? { ...pools } : {}
    },
    isReady: () => weigher.readiness().isReady,
    [Symbol.asyncDispose]: stop,
  }
}
