import { isIPv6 } from 'node:net'
import { createNatsBus, type Bus } from '@siplb/bus'
import { config as configSchema, natsConfig, weightsQuestion, type Config } from '@siplb/contracts'
import { createBusCounters, createLogger, createRegistry, nowMs, TlsFiles, type Registry } from '@siplb/runtime'
import { createLocator, type Endpoint } from '@siplb/sip/transport'
import { freePort, waitFor } from '@siplb/testkit'
import { createIngressMetrics } from '../src/metrics.ts'
import { DiskTables } from '../src/shell/disk-tables.ts'
import { createIngress } from '../src/shell/ingress.ts'
import { createTokenKey } from '../src/shell/token-keys.ts'
import type { Place } from './peer.ts'

const log = createLogger('ingress', 'test', { level: 'silent' })

/** A bus that nobody is on: port 1 refuses. */
const noNats = 'nats://127.0.0.1:1'

export async function connectBus(service: string, instance: string, url = noNats, prefix = 'test'): Promise<Bus> {
  const observer = createBusCounters(createRegistry())
  const config = natsConfig.parse({ servers: [url], prefix })
  const bus = createNatsBus({ config, service, instance, version: '0.0.0', log, observer })
  if (url !== noNats) await waitFor(() => bus.isConnected(), 5000, 'the bus')
  return bus
}

export interface IngressSettings {
  /** As in the configuration file. */
  readonly pools: Readonly<Record<string, object>>
  readonly ingress?: object
  readonly retry?: object
  /** Left out: there is no bus, and the ingress chooses by itself. */
  readonly nats?: string
  /** Of the subjects: keeps tests apart that share a server. */
  readonly prefix?: string
  readonly instance?: string
  readonly stateDir?: string
  readonly secrets?: readonly string[]
  /** Breaks what is told of a choice, as a fault of ours would. */
  readonly onDecision?: () => void
  /** Default: 127.0.0.1, and a free port. */
  readonly address?: string
  readonly port?: number
  /** Beside UDP; TCP at the same port, others at free ones. */
  readonly listen?: readonly ('tcp' | 'tls' | 'ws' | 'wss')[]
}

/** The whole ingress in this process, on a real socket. */
export interface IngressUnderTest extends AsyncDisposable {
  readonly place: Place
  /** `127.0.0.1:port`, as it writes itself into Via and Record-Route. */
  readonly hostPort: string
  placeOf(transport: 'tcp' | 'tls' | 'ws' | 'wss'): Place
  readonly bus: Bus
  /** Of the table that it chooses by. */
  revision(pool: string): { readonly epoch: number; readonly seq: number } | undefined
  /** Sum of a counter or gauge over all its labels that fit. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>
  reconfigure(pools: IngressSettings['pools'], retry?: object): void
  /** With other keys of `ingress`. */
  reconfigureIngress(changed: object): void
  drain(): Promise<void>
  /** Lets this time pass at once, for its timers and leases. */
  skip(ms: number): void
}

export async function startIngress(settings: IngressSettings): Promise<IngressUnderTest> {
  const { pools, ingress = {}, instance = 'lb1', secrets = ['a secret of thirty-two characters'] } = settings
  const { address = '127.0.0.1' } = settings
  const port = settings.port ?? (await freePort('udp'))
  const streams: Endpoint[] = []
  for (const transport of settings.listen ?? []) {
    streams.push({ transport, address, port: transport === 'tcp' ? port : await freePort('tcp') })
  }
  const parse = (given: IngressSettings['pools'], retry = settings.retry ?? {}, keys = ingress): Config =>
    configSchema.parse({ instance, ingress: keys, retry, pools: given })
  const bus = await connectBus('ingress', instance, settings.nats, settings.prefix)
  const registry = createRegistry()
  const metrics = createIngressMetrics(registry)
  const { onDecision } = settings
  if (onDecision !== undefined) metrics.decisions.count = onDecision
  let skippedMs = 0
  const made = createIngress({
    config: parse(pools),
    endpoints: [{ transport: 'udp', address, port }, ...streams],
    bus,
    disk: settings.stateDir === undefined ? undefined : new DiskTables(settings.stateDir),
    tokenKeys: secrets.map(createTokenKey),
    log,
    metrics,
    now: () => nowMs() + skippedMs,
    locator: createLocator({ now: nowMs, random: Math.random }),
    tls: new TlsFiles(parse(pools).ingress.tls),
  })
  for (const component of made.components) await component.start?.()
  // Whatever the answer: it comes behind all that was subscribed before.
  if (settings.nats !== undefined) await bus.request(weightsQuestion, { pool: 'none' }, {}, 1000).catch(() => {})
  const metric = (name: string, labels = {}) => sumOf(registry, name, labels)
  return {
    place: { address, port },
    placeOf(transport) {
      const found = streams.find((one) => one.transport === transport)
      if (found === undefined) throw new Error(`the ingress under test does not listen by ${transport}`)
      return found
    },
    hostPort: isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`,
    bus,
    metric,
    revision(pool) {
      const known = made.tables.get(pool)
      return known === undefined ? undefined : { epoch: known.epoch, seq: known.seq }
    },
    reconfigure: (changed, retry) => made.reconfigure(parse(changed, retry)),
    reconfigureIngress: (changed) => made.reconfigure(parse(pools, undefined, { ...ingress, ...changed })),
    skip: (ms) => void (skippedMs += ms),
    async drain() {
      for (const component of made.components.toReversed()) await component.drain?.()
    },
    async [Symbol.asyncDispose]() {
      for (const component of made.components.toReversed()) await component.stop?.()
      await bus.close()
      const errors = await metric('siplb_sip_dropped_total', { reason: 'error' })
      if (errors > 0 && onDecision === undefined)
        throw new Error(`${errors} messages were dropped for an error of ours`)
    },
  }
}

async function sumOf(registry: Registry, name: string, labels: Readonly<Record<string, string>>): Promise<number> {
  const metric = registry.getSingleMetric(name)
  if (metric === undefined) throw new Error(`there is no metric ${name}`)
  const { values } = await metric.get()
  const fitting = values.filter((one) =>
    Object.entries(labels).every(([key, value]) =>
      Object.entries(one.labels).some(([k, v]) => k === key && v === value),
    ),
  )
  return fitting.reduce((sum, { value }) => sum + value, 0)
}
