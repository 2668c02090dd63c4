import { createNatsBus } from '@siplb/bus'
import { config as configSchema, type Config } from '@siplb/contracts'
import {
  createBusCounters,
  createHttp,
  createLogger,
  createRegistry,
  MutableLifecycle,
  newInstance,
  nowMs,
  run,
  TlsFiles,
  version,
  watchConfig,
  type Component,
  type ConfigSource,
} from '@siplb/runtime'
import { createLocator } from '@siplb/sip/transport'
import { defaultHttpPort, listenAddresses, secretsOf, stateDirOf } from './config.ts'
import { createIngressMetrics } from './metrics.ts'
import { DiskTables } from './shell/disk-tables.ts'
import { createIngress } from './shell/ingress.ts'
import { createTokenKey } from './shell/token-keys.ts'
import { WorkerLink } from './shell/worker-link.ts'
import { workerName, type WorkerPlace } from './worker.ts'

/** A process that takes SIP: the whole ingress, or one of the workers that share its ports. */
export async function serve(config: Config, source: ConfigSource, place?: WorkerPlace): Promise<void> {
  const instance = place === undefined ? (config.instance ?? newInstance()) : workerName(place)
  const log = createLogger('ingress', instance, config.log)
  const registry = createRegistry()
  const lifecycle = new MutableLifecycle()
  const stateDir = stateDirOf(config, process.env)
  const bus = createNatsBus({
    config: config.nats,
    service: 'ingress',
    instance,
    version,
    log,
    observer: createBusCounters(registry),
  })
  // The path of a call needs nothing but this process: without the bus it is degraded, and serves.
  const details = () => ({
    bus: bus.isConnected() ? 'connected' : 'gone: choosing by the last table',
    tables: Object.fromEntries([...ingress.tables.snapshots].map(([pool, { epoch, seq }]) => [pool, { epoch, seq }])),
  })
  const parent =
    place === undefined
      ? undefined
      : new WorkerLink({
          count: config.ingress.workers,
          registry,
          status: () => ({ state: lifecycle.state, details: details() }),
        })
  const ingress = createIngress({
    config,
    endpoints: listenAddresses(config),
    bus,
    // One of several writes.
    disk: new DiskTables(stateDir, (place?.worker ?? 0) === 0),
    tokenKeys: secretsOf(config, stateDir).map(createTokenKey),
    log,
    metrics: createIngressMetrics(registry),
    now: nowMs,
    locator: createLocator({ now: nowMs, random: Math.random }),
    tls: new TlsFiles(config.ingress.tls),
    ...(place === undefined || parent === undefined ? {} : { place, siblings: parent }),
  })
  const http = (): Component[] => {
    const readiness = () => ({
      isReady: lifecycle.state === 'ready',
      details: { state: lifecycle.state, ...details() },
    })
    const { address, port = defaultHttpPort } = config.http
    const server = createHttp({ address, port, registry, readiness, log })
    return [server, { name: 'http-port', start: () => log.info({ httpPort: server.port() }, 'http listening') }]
  }
  await run({
    log,
    lifecycle,
    drainMs: config.ingress.drainMs,
    ...(parent === undefined ? {} : { readyText: 'worker ready' }),
    components: [
      { name: 'bus', stop: () => bus.close() },
      ...(parent === undefined ? http() : [parent]),
      ...ingress.components,
      watchConfig({ schema: configSchema, source, onLoaded: (changed) => ingress.reconfigure(changed), log }),
    ],
  })
}
