import { createNatsBus, type Bus } from '@siplb/bus'
import { natsConfig, poolsConfig } from '@siplb/contracts'
import { createBusCounters, createLogger, createRegistry, nowMs, type Registry } from '@siplb/runtime'
import { startNats, waitFor, type TestNats } from '@siplb/testkit'
import { createLocationMetrics } from '../src/metrics.ts'
import { AnswerTeller } from '../src/shell/answer-teller.ts'
import { RouteService } from '../src/shell/route-service.ts'
import { TableWatch } from '../src/shell/table-watch.ts'

const log = createLogger('location', 'test', { level: 'silent' })

export interface Installation extends AsyncDisposable {
  readonly nats: TestNats
  /** A connected bus of some instance; closed with the installation. */
  bus(service: string, instance?: string, registry?: Registry): Promise<Bus>
  /** A location as `main.ts` puts it together, in this process. */
  location(pools: unknown, options?: LocationOptions): Promise<LocationUnderTest>
}

interface LocationOptions {
  readonly instance?: string
  readonly now?: () => number
}

export interface LocationUnderTest {
  readonly bus: Bus
  readonly tables: TableWatch
  readonly registry: Registry
  configure(pools: unknown): void
}

export async function startInstallation(): Promise<Installation> {
  const nats = await startNats()
  const closing: (() => Promise<void> | void)[] = [() => nats.stop()]
  const bus = async (service: string, instance = `${service}-1`, registry = createRegistry()) => {
    const config = natsConfig.parse({ servers: [nats.url] })
    const observer = createBusCounters(registry)
    const made = createNatsBus({ config, service, instance, version: '0.0.0', log, observer })
    closing.push(() => made.close())
    await waitFor(() => made.isConnected(), 5000)
    return made
  }
  return {
    nats,
    bus,
    async location(given, { instance = 'location-1', now = nowMs } = {}) {
      const pools = poolsConfig.parse(given)
      const registry = createRegistry()
      const metrics = createLocationMetrics(registry)
      const own = await bus('location', instance, registry)
      const tables = new TableWatch({ bus: own, metrics, now })
      tables.configure(pools)
      const teller = new AnswerTeller(own, metrics, log)
      const { snapshots } = tables
      const routes = new RouteService({ bus: own, pools, snapshots, teller, metrics, random: Math.random, now })
      for (const component of [tables, routes]) component.start()
      closing.push(() => {
        teller.stop()
        tables.stop()
      })
      const configure = (changed: unknown) => {
        tables.configure(poolsConfig.parse(changed))
        routes.configure(poolsConfig.parse(changed))
      }
      return { bus: own, tables, registry, configure }
    },
    async [Symbol.asyncDispose]() {
      for (const close of closing.toReversed()) await close()
    },
  }
}
