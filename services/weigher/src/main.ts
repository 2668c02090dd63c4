import { createNatsBus } from '@siplb/bus'
import {
  configOrExit,
  createBusCounters,
  createHttp,
  createLogger,
  createRegistry,
  newInstance,
  nowMs,
  run,
  version,
  watchConfig,
} from '@siplb/runtime'
import { defaultHttpPort, weigherConfig } from './config.ts'
import { createWeigher } from './shell/weigher.ts'

const service = 'weigher'
const { config, source } = configOrExit(weigherConfig, { argv: process.argv.slice(2), env: process.env, service })
const instance = config.instance ?? newInstance()
const log = createLogger(service, instance, config.log)
const registry = createRegistry()

const bus = createNatsBus({
  config: config.nats,
  service,
  instance,
  version,
  log,
  observer: createBusCounters(registry),
})
const weigher = createWeigher({ bus, config, registry, log, now: nowMs })
const http = createHttp({
  address: config.http.address,
  port: config.http.port ?? defaultHttpPort,
  registry,
  readiness: () => weigher.readiness(),
  log,
})
const reload = watchConfig({ schema: weigherConfig, source, onLoaded: (next) => weigher.configure(next), log })
const stopBus = { name: 'bus', stop: () => bus.close() }
const sayPort = { name: 'say-port', start: () => log.info({ httpPort: http.port() }, 'listening') }

await run({ log, components: [stopBus, http, sayPort, ...weigher.components, reload], drainMs: 0 })
