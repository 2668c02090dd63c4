import { parseArgs } from 'node:util'
import { join } from 'node:path'
import { version } from '@siplb/runtime'

export interface StartOptions {
  readonly configFile: string
  /** With a sample proxy for every proxy of the configuration, and a caller. */
  readonly isDemo: boolean
  /** `path=value`, as the services take them too. */
  readonly settings: readonly string[]
  /** Of the NATS server that is started here; undefined: 4222, or a free one where that is taken. */
  readonly natsPort: number | undefined
}

const root = join(import.meta.dirname, '..')

const help = `siplb ${version}: everything on this machine, in one process tree.

Usage: npm start                                the demo: config/demo.yaml, three sample proxies, a caller
       npm start -- --config FILE [--demo]      your proxies; config/siplb.yaml is the sample with every key

  -c, --config FILE   the configuration (or SIPLB_CONFIG)
  --demo              with a sample proxy at the address of every proxy, the last one slow, and a caller
  --set path=value    one setting, such as --set ingress.listen=udp://127.0.0.1:5060; may be repeated
  --nats-port N       port of the NATS server that is started here, 0 for a free one (default: 4222, else a free one)
  --version           print the version
  -h, --help          print this

Runs NATS, ingress, prober, weigher and location. NATS is, in this order: what nats.servers or SIPLB_NATS__SERVERS name;
a nats-server on PATH or in /usr/sbin; the one fetched at an earlier start; the package of the operating system, fetched
without root into the cache folder. Health is on the ports 9101 to 9104 (http.port=N: from N on; 0: free ones).
A service that dies is started again. Ctrl-C or SIGTERM ends all, a second one at once.`

/** What was asked for. Prints and ends the process for --help, --version and what it does not know. */
export function readOptions(argv: readonly string[], env: NodeJS.ProcessEnv): StartOptions {
  const values = parse(argv)
  if (values.help === true) return leave(help)
  if (values.version === true) return leave(version)
  const configFile = values.config ?? (env['SIPLB_CONFIG'] || undefined)
  return {
    configFile: configFile ?? join(root, 'config', 'demo.yaml'),
    isDemo: configFile === undefined || values.demo === true,
    settings: values.set ?? [],
    natsPort: values['nats-port'] === undefined ? undefined : portOf(values['nats-port']),
  }
}

function parse(argv: readonly string[]) {
  try {
    const options = {
      config: { type: 'string', short: 'c' },
      demo: { type: 'boolean' },
      set: { type: 'string', multiple: true },
      'nats-port': { type: 'string' },
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean' },
    } as const
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values
  } catch (error) {
    return refuse(error instanceof Error ? error.message : 'wrong usage')
  }
}

function portOf(text: string): number {
  const port = Number(text)
  return /^\d+$/.test(text) && port <= 65_535 ? port : refuse(`--nats-port wants a port, not "${text}"`)
}

function refuse(problem: string): never {
  process.stderr.write(`${problem}\n\n${help}\n`)
  return process.exit(2)
}

function leave(text: string): never {
  process.stdout.write(`${text}\n`)
  return process.exit(0)
}
