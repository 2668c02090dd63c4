import { setTimeout as sleep } from 'node:timers/promises'
import { connect } from 'nats'
import { z } from 'zod'
import { natsConfig, sipReceived, subjectOf } from '@siplb/contracts'
import { freePort, spawnService, startNats, waitFor, type ServiceProcess } from '@siplb/testkit'
import { holdToShare } from './core-share.ts'
import { BALANCER_CORE, pin } from './pinning.ts'
import { familyOf } from './processes.ts'
import type { System } from './system.ts'

const SETTLE_MS = 33_000
const services = ['weigher', 'location', 'prober', 'ingress'] as const

export interface SiplbOptions {
  readonly proxyPorts: readonly number[]
  /** Of the ingress. */
  readonly workers: number
  /** Part of a core that each of them is held to, 0 to 1; undefined: as much as there is. */
  readonly share: number | undefined
  /** Of the pool. */
  readonly policy: string | undefined
  /** Somebody hears `evt.sip.received`. */
  readonly listen: boolean
  /** Where the ingress writes a CPU profile when it ends. */
  readonly profileDir: string | undefined
}

/** The whole product: a NATS server and one process of each service, with everything on that is on by default. */
export async function startSiplb({
  proxyPorts,
  policy,
  profileDir,
  workers,
  share,
  listen,
}: SiplbOptions): Promise<System> {
  await using stack = new AsyncDisposableStack()
  const monitorPort = await freePort('tcp')
  // Given back when the processes are gone.
  const held = stack.use(new DisposableStack())
  const nats = stack.use(await startNats({ args: ['-m', String(monitorPort)] }))
  const target = { address: '127.0.0.1', port: await freePort('udp') }
  const proxies = proxyPorts.map((port, i) => ({ id: `px${i + 1}`, uri: `sip:127.0.0.1:${port}` }))
  const config = {
    nats: { servers: [nats.url] },
    http: { port: 0 },
    ingress: { listen: [`udp://127.0.0.1:${target.port}`], workers },
    pools: { default: { proxies, ...(policy === undefined ? {} : { policy }) } },
  }
  const parts = new Map<string, readonly number[]>([['nats', [nats.pid]]])
  for (const name of services) {
    const profiling = name === 'ingress' && profileDir !== undefined
    const env = profiling ? { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profileDir}` } : {}
    const service = stack.use(await spawnService(name, { config, env }))
    if (profiling) stack.defer(async () => void (await service.stop()))
    parts.set(name, familyOf(service.pid))
    if (name === 'ingress') await hasTable(service)
  }
  if (listen) stack.defer(await hear(nats.url))
  for (const pid of [...parts.values()].flat()) pin(pid, BALANCER_CORE)
  if (share !== undefined) for (const pid of workersOf(parts.get('ingress') ?? [])) held.defer(holdToShare(pid, share))
  // So long after they came together, workers ask each other about every request.
  if (workers > 1) await sleep(SETTLE_MS)
  const owned = stack.move()
  return {
    name: 'siplb',
    ...{ target, parts },
    busMessages: () => messagesOfIngress(monitorPort),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** In this process, which has the cores of the load tools. */
async function hear(server: string): Promise<() => Promise<void>> {
  const listener = await connect({ servers: server })
  listener.subscribe(subjectOf(natsConfig.parse({}).prefix, sipReceived.address, {}), { callback: () => {} })
  return () => listener.close()
}

/** Without the process that leads them, where there are several. */
function workersOf(pids: readonly number[]): readonly number[] {
  return pids.length > 1 ? pids.slice(1) : pids
}

/** One from the weigher: what the ingress makes of its configuration alone has the epoch 0. */
async function hasTable({ httpPort }: ServiceProcess): Promise<void> {
  const isThere = async () => /"epoch":[1-9]/.test(await (await fetch(`http://127.0.0.1:${httpPort}/readyz`)).text())
  await waitFor(isThere, 10_000, 'a weight table at the ingress')
}

const Connections = z.object({
  connections: z.array(z.object({ name: z.string().optional(), in_msgs: z.number(), out_msgs: z.number() })),
})

/** Published by a worker of the ingress and delivered to it, on the average of all. */
async function messagesOfIngress(monitorPort: number): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${monitorPort}/connz?limit=1000`)
  const { connections } = Connections.parse(await answer.json())
  const own = connections.filter(({ name }) => name?.startsWith('siplb-ingress') === true)
  return own.reduce((sum, one) => sum + one.in_msgs + one.out_msgs, 0) / own.length
}
