import { loadReported, poolId, proxyId, type Load } from '@siplb/contracts'
import type { AgentLoad } from '../agent/domain/agent-load.ts'
import { loadText } from '../agent/load-text.ts'
import type { Target } from '../agent/domain/process-tree.ts'
import { watchProxy, type WatchOptions } from '../agent/shell/watch-proxy.ts'
import { withKeptBus } from '../bus.ts'
import { valueOf, type Call, type Command } from '../command.ts'
import { failure, misuse, type CommandError } from '../errors.ts'

/** An event is believed for so many intervals: a few may be lost on the way. */
const INTERVALS_BELIEVED = 5

export const agent: Command = {
  name: 'agent',
  args: [],
  options: ['pool', 'proxy', 'process', 'pid', 'pid-file', 'port', 'interval-ms', 'once', 'dry-run'],
  summary: 'run beside a proxy, and tell its load from its processes',
  details: `siplb agent --pool default --proxy px1 --process kamailio
Reads /proc on the machine of the proxy: CPU, memory, and the receive queues of its UDP sockets. The highest of the three is the load.
Needs the rights of user programs (config/nats.conf) on the bus. While the proxy does not run, nothing is told of it. --dry-run prints
what would be told, and needs no bus; --once does so one time. With -o json a line is the data of a load event. --pool and --proxy are
needed always: the agent does not ask the bus which there are. --process goes by the name in /proc/N/comm (ps -o comm).`,
  run: (call) => {
    const plan = planOf(call)
    const isDry = valueOf(call, 'dry-run') !== undefined || valueOf(call, 'once') !== undefined
    return isDry ? printLoads(call, plan) : publishLoads(call, plan)
  },
}

type Plan = Omit<WatchOptions, 'onLoad' | 'remark'> & { readonly pool: string }

async function publishLoads(call: Call, plan: Plan): Promise<void> {
  await withKeptBus(call, 'agent', async (bus) => {
    const onLoad = (load: AgentLoad) => void bus.publish(loadReported, { pool: plan.pool }, eventOf(plan, load))
    const watching = watchProxy({ ...plan, onLoad, remark: call.remark })
    await aborted(call.stopped)
    watching.stop()
  })
}

async function printLoads(call: Call, plan: Plan): Promise<void> {
  const isOnce = valueOf(call, 'once') !== undefined
  const { promise: ended, resolve: end, reject } = Promise.withResolvers<void>()
  const onLoad = (load: AgentLoad) => {
    call.print(call.output === 'json' ? JSON.stringify(eventOf(plan, load)) : loadText(plan.proxy, load))
    if (isOnce) end()
  }
  const onGone = (text: string) => (isOnce ? reject(failure(text)) : call.remark(text))
  const watching = watchProxy({ ...plan, onLoad, remark: call.remark, onGone })
  await Promise.race([ended, aborted(call.stopped)]).finally(() => watching.stop())
}

function eventOf({ proxy, intervalMs }: Plan, { load, figures }: AgentLoad): Load {
  const expiresInMs = INTERVALS_BELIEVED * intervalMs
  return { proxy, load, source: 'agent', ageMs: 0, expiresInMs, details: { ...figures } }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

function planOf(call: Call): Plan {
  const pool = poolId.safeParse(valueOf(call, 'pool'))
  const proxy = proxyId.safeParse(valueOf(call, 'proxy'))
  if (!pool.success) throw unnamed('--pool')
  if (!proxy.success) throw unnamed('--proxy')
  const intervalMs = wholeNumber('interval-ms', valueOf(call, 'interval-ms') ?? '1000', 100, 600_000)
  const ports = (valueOf(call, 'port') ?? '5060').split(',').map((text) => wholeNumber('port', text, 1, 65_535))
  return { pool: pool.data, proxy: proxy.data, target: targetOf(call), ports: new Set(ports), intervalMs }
}

function unnamed(option: '--pool' | '--proxy'): CommandError {
  const example = 'siplb agent --pool default --proxy px1 --process kamailio'
  return misuse(
    `say which proxy this is; ${option} is missing, or not such a name as the configuration has: ${example}`,
  )
}

function targetOf(call: Call): Target {
  const [name, pid, file] = (['process', 'pid', 'pid-file'] as const).map((option) => valueOf(call, option))
  if ([name, pid, file].filter((text) => text !== undefined).length !== 1) {
    throw misuse('say once which processes are the proxy: --process kamailio, --pid-file FILE, or --pid N')
  }
  if (name !== undefined) return { by: 'name', name }
  if (file !== undefined) return { by: 'pid-file', file }
  return { by: 'pid', pid: wholeNumber('pid', pid ?? '', 1, 4_194_304) }
}

function wholeNumber(option: string, text: string, least: number, most: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : NaN
  if (value >= least && value <= most) return value
  throw misuse(`--${option} wants a whole number from ${least} to ${most}, not "${text}"`)
}
