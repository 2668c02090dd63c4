import { createNatsBus } from '@siplb/bus'
import { config as configSchema } from '@siplb/contracts'
import {
  configOrExit,
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
} from '@siplb/runtime'
import { createLocator } from '@siplb/sip/transport'
import { defaultHttpPort, listenAddresses, secretsOf, stateDirOf } from './config.ts'
import { createIngressMetrics } from './metrics.ts'
import { DiskTables } from './shell/disk-tables.ts'
import { createIngress } from './shell/ingress.ts'
import { createTokenKey } from './shell/token-keys.ts'

const { config, source } = configOrExit(configSchema, {
  argv: process.argv.slice(2),
  env: process.env,
  service: 'ingress',
})
const instance = config.instance ?? newInstance()
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
const ingress = createIngress({
  config,
  endpoints: listenAddresses(config),
  bus,
  disk: new DiskTables(stateDir),
  tokenKeys: secretsOf(config, stateDir).map(createTokenKey),
  log,
  metrics: createIngressMetrics(registry),
  now: nowMs,
  locator: createLocator({ now: nowMs, random: Math.random }),
  tls: new TlsFiles(config.ingress.tls),
})
const http = createHttp({
  address: config.http.address,
  port: config.http.port ?? defaultHttpPort,
  registry,
  // The path of a call needs nothing but this process: without the bus it is degraded, and serves.
  readiness: () => ({
    isReady: lifecycle.state === 'ready',
    details: {
      state: lifecycle.state,
      bus: bus.isConnected() ? 'connected' : 'gone: choosing by the last table',
      tables: Object.fromEntries([...ingress.tables.snapshots].map(([pool, { epoch, seq }]) => [pool, { epoch, seq }])),
    },
  }),
  log,
})
await run({
  log,
  lifecycle,
  drainMs: config.ingress.drainMs,
  components: [
    { name: 'bus', stop: () => bus.close() },
    http,
    { name: 'http-port', start: () => log.info({ httpPort: http.port() }, 'http listening') },
    ...ingress.components,
    watchConfig({ schema: configSchema, source, onLoaded: (changed) => ingress.reconfigure(changed), log }),
  ],
})
