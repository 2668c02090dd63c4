import { createNatsBus } from '@siplb/bus'
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
  version,
  watchConfig,
} from '@siplb/runtime'
import { defaultHttpPort, locationConfig } from './config.ts'
import { createAgeGauge, createLocationMetrics } from './metrics.ts'
import { AnswerTeller } from './shell/answer-teller.ts'
import { RouteService } from './shell/route-service.ts'
import { TableWatch } from './shell/table-watch.ts'

const service = 'location'
const { config, source } = configOrExit(locationConfig, { argv: process.argv.slice(2), env: process.env, service })
const instance = config.instance ?? newInstance()
const log = createLogger(service, instance, config.log)
const registry = createRegistry()
const metrics = createLocationMetrics(registry)
const lifecycle = new MutableLifecycle()

const bus = createNatsBus({
  config: config.nats,
  service,
  instance,
  version,
  log,
  observer: createBusCounters(registry),
})
const tables = new TableWatch({ bus, metrics, now: nowMs })
tables.configure(config.pools)
createAgeGauge(registry, () => tables.ages())
const teller = new AnswerTeller(bus, metrics, log)
const { snapshots } = tables
const routes = new RouteService({
  bus,
  pools: config.pools,
  snapshots,
  teller,
  metrics,
  random: Math.random,
  now: nowMs,
})
const http = createHttp({
  address: config.http.address,
  port: config.http.port ?? defaultHttpPort,
  registry,
  // Every configured pool has a snapshot from the start: base weights, until a table is heard.
  readiness: () => ({
    isReady: lifecycle.state === 'ready' && bus.isConnected(),
    details: {
      state: lifecycle.state,
      bus: bus.isConnected() ? 'connected' : 'gone: nobody can ask',
      pools: tables.details(),
    },
  }),
  log,
})
const reload = watchConfig({
  schema: locationConfig,
  source,
  onLoaded: ({ pools }) => {
    tables.configure(pools)
    routes.configure(pools)
  },
  log,
})
const stopBus = { name: 'bus', stop: () => bus.close() }
const sayPort = { name: 'say-port', start: () => log.info({ httpPort: http.port() }, 'listening') }

await run({ log, components: [stopBus, http, sayPort, tables, teller, routes, reload], drainMs: 0, lifecycle })
