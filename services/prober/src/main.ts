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
import { createLocator, udpDoor } from '@siplb/sip/transport'
import { defaultHttpPort, proberConfig } from './config.ts'
import { ofConfig } from './domain/probed-proxy.ts'
import { createProberMetrics } from './metrics.ts'
import { ProbeLoop } from './shell/probe-loop.ts'
import { ProberLease } from './shell/prober-lease.ts'
import { ProxyListWatch } from './shell/proxy-list-watch.ts'
import { ProxyTls } from './shell/proxy-tls.ts'
import { SignalBatch } from './shell/signal-batch.ts'

const service = 'prober'
const { config, source } = configOrExit(proberConfig, { argv: process.argv.slice(2), env: process.env, service })
const instance = config.instance ?? newInstance()
const log = createLogger(service, instance, config.log)
const registry = createRegistry()
const metrics = createProberMetrics(registry)
const lifecycle = new MutableLifecycle()

const bus = createNatsBus({
  config: config.nats,
  service,
  instance,
  version,
  log,
  observer: createBusCounters(registry),
})
const list = new ProxyListWatch({ bus, declared: ofConfig(config.pools), now: nowMs })
const lease = new ProberLease({ bus, now: nowMs, log })
const tls = new ProxyTls(config.ingress.tls, nowMs)
const loop = new ProbeLoop({
  self: instance,
  settings: config.probe,
  proxies: (now) => list.at(now),
  probers: (now) => lease.living(now),
  now: nowMs,
  random: Math.random,
  locator: createLocator({ now: nowMs, random: Math.random }),
  tls,
  signals: new SignalBatch(bus, metrics),
  metrics,
  log,
})
const http = createHttp({
  address: config.http.address,
  port: config.http.port ?? defaultHttpPort,
  registry,
  readiness: () => ({
    isReady: lifecycle.state === 'ready' && loop.isRunning(nowMs()),
    details: {
      bus: bus.isConnected() ? 'connected' : 'gone: nothing can be published',
      proxies: list.at(nowMs()).size,
      probed: loop.size,
      probers: lease.living(nowMs()),
    },
  }),
  log,
})
const reload = watchConfig({
  schema: proberConfig,
  source,
  onLoaded: ({ probe, pools, ingress }) => {
    tls.configure(ingress.tls)
    list.declare(ofConfig(pools))
    loop.configure(probe)
  },
  log,
})
const stopBus = { name: 'bus', stop: () => bus.close() }
const sayPort = {
  name: 'say-port',
  start: () => log.info({ httpPort: http.port(), door: udpDoor().name }, 'listening'),
}

await run({ log, components: [stopBus, http, sayPort, list, lease, loop, reload], drainMs: 0, lifecycle })
