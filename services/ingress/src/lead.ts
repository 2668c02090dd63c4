import type { Config } from '@siplb/contracts'
import {
  createHttp,
  createLogger,
  createRegistry,
  MutableLifecycle,
  newInstance,
  run,
  sumMetrics,
} from '@siplb/runtime'
import { defaultHttpPort, secretsOf, stateDirOf } from './config.ts'
import { WorkerGroup } from './shell/worker-group.ts'
import { workerEnv } from './worker.ts'

/** The last that a worker does after its calls: sockets, and the bus. */
const WORKER_STOP_MS = 5000

/** The parent of several workers. It takes no SIP itself: it keeps them alive, and speaks for them by HTTP. */
export async function lead(config: Config, script: string): Promise<void> {
  const instance = config.instance ?? newInstance()
  const log = createLogger('ingress', instance, config.log)
  const registry = createRegistry()
  const lifecycle = new MutableLifecycle()
  // Made before the workers start, so that all find the same one.
  secretsOf(config, stateDirOf(config, process.env))
  const group = new WorkerGroup({
    count: config.ingress.workers,
    script,
    argv: process.argv.slice(2),
    envOf: (worker) => workerEnv({ instance, worker }, process.env),
    registry,
    log,
  })
  const http = createHttp({
    address: config.http.address,
    port: config.http.port ?? defaultHttpPort,
    registry: { contentType: registry.contentType, metrics: async () => sumMetrics(await group.metrics()) },
    readiness: () => {
      const { isReady, details } = group.readiness()
      return { isReady: isReady && lifecycle.state === 'ready', details: { state: lifecycle.state, ...details } }
    },
    log,
  })
  await run({
    log,
    lifecycle,
    drainMs: config.ingress.drainMs + WORKER_STOP_MS,
    components: [
      http,
      { name: 'http-port', start: () => log.info({ httpPort: http.port() }, 'http listening') },
      group,
    ],
  })
}
