import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import {
  cachedNatsServer,
  fetchNatsServer,
  findNatsServer,
  startNatsServer,
  type FoundNatsServer,
} from '@siplb/nats-server'
import type { Plan } from './plan.ts'
import { takenPorts } from './ports.ts'
import { supervise, type Supervised } from './supervise.ts'

export interface ProvidedNats {
  readonly servers: readonly string[]
  /** Undefined where the configuration names a server that others run. */
  readonly supervised: Supervised | undefined
}

export interface NatsOutput {
  readonly say: (text: string) => void
  readonly onLine: (line: string) => void
}

const DEFAULT_PORT = 4222
const STOP_MS = 5000

/** The configured NATS, or one of our own that is found, else fetched, and started. Throws a `NatsServerError`. */
export async function provideNats(plan: Plan, { say, onLine }: NatsOutput): Promise<ProvidedNats> {
  const { servers } = plan.config.nats
  if (servers !== undefined) {
    say(`nats      ${servers.join(', ')} (configured)`)
    return { servers, supervised: undefined }
  }
  const found = findNatsServer() ?? (await fetched(say))
  const storeDir = join(plan.stateDir, 'nats')
  mkdirSync(storeDir, { recursive: true })
  let port = await freePort(plan.options.natsPort, say)
  let url = ''
  const launch = async () => {
    const server = await startNatsServer({ binary: found.path, port, storeDir, onLine })
    // Once started, it comes back where its clients look for it.
    port = server.port
    url = server.url
    return { exited: server.exited, kill: (signal: NodeJS.Signals) => void server.stop(signal) }
  }
  const supervised = await supervise({ name: 'nats', launch, stopMs: STOP_MS, say })
  say(`nats      ${url}, by ${found.path} (${origins[found.origin]}), tables kept in ${storeDir}`)
  return { servers: [url], supervised }
}

const origins: Readonly<Record<FoundNatsServer['origin'], string>> = {
  path: 'installed on this machine',
  cache: 'fetched at an earlier start',
  package: 'the package of the operating system, fetched just now',
}

async function fetched(say: (text: string) => void): Promise<FoundNatsServer> {
  say(`nats      not on this machine: fetching the package of the operating system to ${cachedNatsServer()}, once`)
  return fetchNatsServer()
}

async function freePort(wanted: number | undefined, say: (text: string) => void): Promise<number> {
  if (wanted !== undefined) return wanted
  const [problem] = await takenPorts([
    { transport: 'tcp', address: '127.0.0.1', port: DEFAULT_PORT, cure: 'taking a free port' },
  ])
  if (problem === undefined) return DEFAULT_PORT
  say(`nats      ${problem} (SIPLB_NATS__SERVERS=nats://127.0.0.1:${DEFAULT_PORT} uses what runs there)`)
  return 0
}
