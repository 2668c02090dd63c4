import { createNatsBus, type Bus } from '@siplb/bus'
import {
  loadReported,
  natsConfig,
  probeConfig,
  responseTimeTaken,
  type Load,
  type LoadSource,
  type ProbeConfig,
  type ResponseTime,
  type TlsConfig,
} from '@siplb/contracts'
import { createBusCounters, createLogger, createRegistry, nowMs, type Registry } from '@siplb/runtime'
import { createLocator, type LocatorOptions } from '@siplb/sip/transport'
import { waitFor } from '@siplb/testkit'
import type { ProbedProxy } from '../src/domain/probed-proxy.ts'
import { createProberMetrics } from '../src/metrics.ts'
import { ProbeLoop } from '../src/shell/probe-loop.ts'
import { ProxyTls } from '../src/shell/proxy-tls.ts'
import { SignalBatch } from '../src/shell/signal-batch.ts'
import { seeded } from './seeded.ts'

const log = createLogger('prober', 'test', { level: 'silent' })

export async function connectBus(url: string, instance = 'test'): Promise<Bus> {
  const observer = createBusCounters(createRegistry())
  const config = natsConfig.parse({ servers: [url] })
  const bus = createNatsBus({ config, service: 'prober', instance, version: '0.0.0', log, observer })
  await waitFor(() => bus.isConnected(), 5000)
  return bus
}

type Heard<T> = T & { readonly at: number }

/** A probe loop for one pool, and what others hear of it on the bus. */
export interface LoopUnderTest extends AsyncDisposable {
  readonly samples: readonly Heard<ResponseTime>[]
  readonly loads: readonly Heard<Load>[]
  readonly registry: Registry
  readonly signals: SignalBatch
  /** When the loop was awake to look at what is due. */
  readonly ticks: readonly number[]
  /** Another list of proxies, from now on. */
  list(proxies: readonly DeclaredProxy[]): void
  configure(settings: Partial<ProbeConfig>): void
}

export interface DeclaredProxy {
  readonly id: string
  readonly uri: string
  readonly load?: LoadSource
}

export interface Surroundings {
  /** IPv4 address of a name without a dot, undefined where there is none. */
  readonly addressOf?: (name: string) => string | undefined
  /** Instead of name servers. */
  readonly ask?: LocatorOptions['ask'] | undefined
  /** As `ingress.tls` of the configuration. */
  readonly tls?: Partial<TlsConfig>
}

export async function startLoop(
  bus: Bus,
  pool: string,
  proxies: readonly DeclaredProxy[],
  settings: Partial<ProbeConfig> = {},
  { addressOf, ask, tls = {} }: Surroundings = {},
): Promise<LoopUnderTest> {
  const samples: Heard<ResponseTime>[] = []
  const loads: Heard<Load>[] = []
  const subscriptions = [
    bus.subscribe(responseTimeTaken, { pool }, ({ data }) => samples.push({ ...data, at: nowMs() })),
    bus.subscribe(loadReported, { pool }, ({ data }) => loads.push({ ...data, at: nowMs() })),
  ]
  const registry = createRegistry()
  const metrics = createProberMetrics(registry)
  const signals = new SignalBatch(bus, metrics)
  const ticks: number[] = []
  let listed = asList(pool, proxies)
  const loop = new ProbeLoop({
    self: bus.instance,
    settings: probeConfig.parse({ intervalMs: 200, ...settings }),
    proxies: () => listed,
    // Asked once in each tick.
    probers: (now) => (ticks.push(now), [bus.instance]),
    now: nowMs,
    random: seeded(1),
    locator: createLocator({
      now: nowMs,
      random: seeded(2),
      hostsFile: '/dev/null',
      ...(ask === undefined ? {} : { ask }),
      ...(addressOf === undefined ? {} : { system: lookupOf(addressOf) }),
    }),
    tls: new ProxyTls({ servers: {}, requireClientCert: false, verifyProxies: true, ...tls }, nowMs),
    signals,
    metrics,
    log,
  })
  await loop.start()
  return {
    samples,
    loads,
    registry,
    signals,
    ticks,
    list: (next) => void (listed = asList(pool, next)),
    configure: (next) => loop.configure(probeConfig.parse(next)),
    async [Symbol.asyncDispose]() {
      await loop.stop()
      for (const subscription of subscriptions) subscription.stop()
    },
  }
}

function lookupOf(addressOf: (name: string) => string | undefined) {
  return (name: string, family: 4 | 6): Promise<readonly string[]> => {
    const address = addressOf(name)
    return Promise.resolve(address === undefined || family === 6 ? [] : [address])
  }
}

function asList(pool: string, proxies: readonly DeclaredProxy[]): ReadonlyMap<string, ProbedProxy> {
  return new Map(proxies.map((p) => [`${pool}.${p.id}`, { key: `${pool}.${p.id}`, pool, load: undefined, ...p }]))
}
