import { hostname, userInfo } from 'node:os'
import { BusError, createNatsBus, type Bus, type NatsBusOptions } from '@siplb/bus'
import { configSections, type Config, type NatsConfig, type RequestChannel } from '@siplb/contracts'
import { formatProblem, loadConfig, newInstance, version, type ConfigProblem } from '@siplb/runtime'
import { valueOf, type Call } from './command.ts'
import { CommandError, failure, misuse } from './errors.ts'

const ANSWER_MS = 3000

/** Connects, does the work, and closes the connection whatever happens. */
export async function withBus(call: Call, work: (bus: Bus) => Promise<void>): Promise<void> {
  const config = configOf(call).nats
  const { bus, connected } = open(config)
  try {
    await connected
    await work(bus)
  } finally {
    await bus.close()
  }
}

/**
 * The same for who goes on whether the bus is there or not: says once that it is gone, with the cure, and once that it is back.
 */
export async function withKeptBus(call: Call, service: string, work: (bus: Bus) => Promise<void>): Promise<void> {
  const { nats: config } = configOf(call)
  const warn = (fields: object, text: string) => {
    const problem = 'problem' in fields ? String(fields.problem) : text
    const refused = `the bus refuses what is said (${problem}): give a user that may, such as programs of config/nats.conf`
    if (text === 'bus refused something') call.remark(refused)
    else if (text !== 'bus lost') call.remark(`${unreachable(config, problem)}; trying on`)
  }
  const bus = createBus(config, { info() {}, warn }, service)
  let wasConnected: boolean | undefined
  const following = bus.onConnection((isConnected) => {
    if (isConnected && wasConnected === false) call.remark('connected to the bus')
    if (!isConnected && wasConnected === true) call.remark('the bus is gone; going on until it is back')
    wasConnected = isConnected
  })
  try {
    await work(bus)
  } finally {
    following.stop()
    await bus.close()
  }
}

const paths = { nats: 'nats.servers', user: 'nats.user', password: 'nats.password' } as const

/** What this call goes by: file, environment, and its own flags; `more` are further settings by path. */
export function configOf(call: Call, more: Readonly<Record<string, string>> = {}): Config {
  const overrides: Record<string, string> = { ...more }
  for (const flag of ['nats', 'user', 'password'] as const) {
    const value = valueOf(call, flag)
    if (value !== undefined) overrides[paths[flag]] = value
  }
  const file = valueOf(call, 'config') ?? (call.env['SIPLB_CONFIG'] || undefined)
  const loaded = loadConfig(configSections, { file, env: call.env, overrides })
  if (loaded.kind === 'loaded') return loaded.config
  const isOurs = Object.keys(more).length === 0
  throw misuse(
    `${isOurs ? 'the bus cannot be looked for, since the configuration is wrong' : 'these settings are wrong'}:\n${loaded.problems.map(problemText).join('\n')}`,
  )
}

/** Of a wrong flag, by the name that it was given here. */
function problemText(problem: ConfigProblem): string {
  const flag = Object.entries(paths).find(([, path]) => problem.path.startsWith(path))?.[0]
  return formatProblem(problem.origin === '--set' && flag !== undefined ? { ...problem, origin: `--${flag}` } : problem)
}

function open(config: NatsConfig): { bus: Bus; connected: Promise<void> } {
  const { promise: connected, resolve, reject } = Promise.withResolvers<void>()
  // The bus itself would try for ever; a command says at once what is wrong.
  const warn = (fields: object) => {
    if ('problem' in fields) reject(failure(unreachable(config, String(fields.problem))))
  }
  const bus = createBus(config, { info() {}, warn })
  bus.onConnection((isConnected) => {
    if (isConnected) resolve()
  })
  return { bus, connected }
}

function createBus(config: NatsConfig, log: NatsBusOptions['log'], service = 'cli'): Bus {
  const observer = { published() {}, unpublished() {}, received() {}, dropped() {} }
  try {
    return createNatsBus({ config, service, instance: newInstance(), version, log, observer, isService: false })
  } catch (error) {
    throw new CommandError(2, `the credentials for the bus cannot be read: ${textOf(error)}`, error)
  }
}

function unreachable({ servers, user }: NatsConfig, problem: string): string {
  const where = (servers ?? ['nats://127.0.0.1:4222']).join(', ').replaceAll(/\/\/[^/@\s]*@/g, '//')
  if (/authorization|authentication|credentials/i.test(problem)) {
    const who = user === undefined ? 'without a user' : `as user ${user}`
    return `NATS at ${where} does not let us in ${who}: give --user and --password, or SIPLB_NATS__USER and SIPLB_NATS__PASSWORD`
  }
  return `NATS at ${where} is not to be reached (${problem}): start it, or say where it is by --nats URL or SIPLB_NATS__SERVERS`
}

/** Asks the weigher. What it refuses stays a `BusError` with its status; everything else becomes a sentence with the cure. */
export async function ask<Q, A>(
  bus: Bus,
  channel: RequestChannel<Q, A>,
  params: Record<string, string>,
  body: Q,
): Promise<A> {
  try {
    return await bus.request(channel, params, body, ANSWER_MS)
  } catch (error) {
    if (!(error instanceof BusError) || error.code === 'refused') throw error
    throw failure(unanswered(error, bus.prefix), error)
  }
}

function unanswered({ code, message }: BusError, prefix: string): string {
  switch (code) {
    case 'no-responders':
      return `no weigher answers on this bus: start one, with the subject prefix ${prefix} (nats.prefix) as here`
    case 'timeout':
      return `the weigher did not answer within ${ANSWER_MS} ms: its log says why, unless this user of the bus may not ask`
    case 'malformed':
      return `the weigher's answer is not understood: use a siplb of its version (this is ${version})`
    default:
      return `${message}: try again when the bus is back`
  }
}

/** Who gives a command, for the history. */
export function actor(): string {
  return `cli/${userInfo().username}@${hostname()}`.slice(0, 128)
}

export function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
