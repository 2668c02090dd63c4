import { mkdirSync, mkdtempSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { config as configSchema, type Config } from '@siplb/contracts'
import { formatProblem, loadConfig, type ConfigSource } from '@siplb/runtime'
import { parseListen, type Endpoint } from '@siplb/sip/transport'
import type { Address } from '@siplb/testkit'
import { readAddress } from './demo/arguments.ts'
import type { StartOptions } from './options.ts'

export const services = ['ingress', 'prober', 'weigher', 'location'] as const
export type ServiceName = (typeof services)[number]

const FIRST_HTTP_PORT = 9101

/** What will run, and where: everything that is decided before anything is started. */
export interface Plan {
  readonly config: Config
  /** To load it again. */
  readonly source: ConfigSource
  readonly options: StartOptions
  /** Where callers send to. */
  readonly listen: readonly Endpoint[]
  /** Undefined: a free one each. */
  readonly httpPorts: Readonly<Record<ServiceName, number>> | undefined
  readonly stateDir: string
  readonly logFile: string
  /** To be removed at the end. */
  readonly temporaryDir: string | undefined
  readonly sampleProxies: readonly (Address & { readonly id: string; readonly delayMs: number })[]
}

export class PlanError extends Error {}

/** Throws a `PlanError` with everything that is wrong with the configuration. */
export function makePlan(options: StartOptions, env: NodeJS.ProcessEnv): Plan {
  const source = sourceOf(options, env)
  const config = readConfig(source)
  const stateHome = join(env['XDG_STATE_HOME'] ?? join(homedir(), '.local', 'state'), 'siplb')
  const temporaryDir = options.isDemo ? mkdtempSync(join(tmpdir(), 'siplb-demo-')) : undefined
  const { port } = config.http
  return {
    config,
    source,
    options,
    listen: config.ingress.listen.map(listenerOf),
    httpPorts: port === 0 ? undefined : portsFrom(port ?? FIRST_HTTP_PORT),
    stateDir: temporaryDir ?? config.stateDir ?? stateHome,
    logFile: join(writable(stateHome), options.isDemo ? 'demo.log' : 'start.log'),
    temporaryDir,
    sampleProxies: options.isDemo ? sampleProxiesOf(config) : [],
  }
}

/** Every address that has to be free, and what to do when it is not. */
export function neededPorts({ config, listen, httpPorts, sampleProxies }: Plan) {
  const other = 'end what listens there, or choose another'
  return [
    ...listen.map(({ transport, address, port }) => ({
      address,
      port,
      transport: transport === 'udp' ? ('udp' as const) : ('tcp' as const),
      cure: `${other}: npm start -- --set ingress.listen=${transport}://${address}:${port + 10}`,
    })),
    ...sampleProxies.map((at) => ({
      ...at,
      transport: 'udp' as const,
      cure: `it is for the sample proxy ${at.id}: ${other} in the configuration file`,
    })),
    ...Object.entries(httpPorts ?? {}).map(([name, port]) => ({
      address: config.http.address,
      port,
      transport: 'tcp' as const,
      cure: `it is for the health of ${name}: ${other}: npm start -- --set http.port=0 takes free ones`,
    })),
  ]
}

/** What each service is started with. */
export function serviceArguments({ options, httpPorts, stateDir }: Plan, name: ServiceName): string[] {
  const port = httpPorts === undefined ? 0 : httpPorts[name]
  const settings = [...options.settings, `http.port=${port}`, `stateDir=${stateDir}`]
  return ['--config', options.configFile, ...settings.flatMap((setting) => ['--set', setting])]
}

function sourceOf({ configFile: file, settings }: StartOptions, env: NodeJS.ProcessEnv): ConfigSource {
  return { file, env, overrides: Object.fromEntries(settings.map(settingOf)) }
}

function readConfig(source: ConfigSource): Config {
  const loaded = loadConfig(configSchema, source)
  if (loaded.kind === 'invalid') throw new PlanError(loaded.problems.map(formatProblem).join('\n'))
  return loaded.config
}

function settingOf(text: string): [path: string, value: string] {
  const at = text.indexOf('=')
  if (at < 1) throw new PlanError(`--set wants path=value, such as --set probe.intervalMs=500, not "${text}"`)
  return [text.slice(0, at), text.slice(at + 1)]
}

function portsFrom(first: number): Record<ServiceName, number> {
  return { ingress: first, prober: first + 1, weigher: first + 2, location: first + 3 }
}

/** Checked by the schema before. */
function listenerOf(text: string): Endpoint {
  const parsed = parseListen(text)
  if (parsed.kind === 'problem') throw new PlanError(parsed.problem)
  return parsed
}

function addressOf(text: string, origin: string): Address {
  try {
    return readAddress(text, origin)
  } catch (error) {
    throw new PlanError(error instanceof Error ? error.message : origin, { cause: error })
  }
}

const QUICK_MS = 5
const SLOW_MS = 60

// Quick but for the last, which is slow: so there is something to see.
function sampleProxiesOf(config: Config): Plan['sampleProxies'] {
  const proxies = Object.values(config.pools).flatMap((pool) => pool.proxies)
  return proxies.map(({ id, uri }, i) => {
    const place = uri.replace(/^sip:(?:[^@]*@)?/, '').replace(/[;?].*$/, '')
    return {
      ...addressOf(place, `--demo: the uri of ${id}`),
      id,
      delayMs: i === proxies.length - 1 ? SLOW_MS : QUICK_MS,
    }
  })
}

function writable(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true })
    return folder
  } catch {
    return tmpdir()
  }
}
