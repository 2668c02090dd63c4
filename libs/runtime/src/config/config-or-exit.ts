import { parseArgs } from 'node:util'
import type { z } from 'zod'
import { loadConfig, type ConfigSource } from './load-config.ts'
import { formatProblem, type ConfigProblem } from './problem.ts'
import { version } from './version.ts'

export interface ConfigRequest {
  /** Without the program's own name: `process.argv.slice(2)`. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly service: string
}

export interface FoundConfig<T> {
  readonly config: T
  readonly file: string | undefined
  /** Where it came from, to load it again. */
  readonly source: ConfigSource
}

/** Exit code for wrong usage or configuration. */
const USAGE = 2

/**
 * The configuration that a service was started with. Does not return where there is none: problems go to standard error
 * and the process ends with exit code 2; `--help` and `--version` print and end it with 0.
 */
export function configOrExit<T>(schema: z.ZodType<T>, request: ConfigRequest): FoundConfig<T> {
  const source = sourceOf(request)
  const loaded = loadConfig(schema, source)
  if (loaded.kind === 'invalid') return refuse(loaded.problems, source.file)
  return { config: loaded.config, file: loaded.file, source }
}

function sourceOf({ argv, env, service }: ConfigRequest): ConfigSource {
  const flags = flagsOf(argv, service)
  if (flags.help === true) return leave(helpText(service))
  if (flags.version === true) return leave(`siplb-${service} ${version}`)
  const overrides = Object.fromEntries((flags.set ?? []).map((text) => settingOf(text, service)))
  return { file: flags.config ?? (env['SIPLB_CONFIG'] || undefined), env, overrides }
}

function flagsOf(argv: readonly string[], service: string) {
  try {
    const options = {
      config: { type: 'string', short: 'c' },
      set: { type: 'string', multiple: true },
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean' },
    } as const
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: false }).values
  } catch (error) {
    return fail(`${error instanceof Error ? error.message : String(error)}\n\n${helpText(service)}`)
  }
}

function settingOf(text: string, service: string): [path: string, value: string] {
  const at = text.indexOf('=')
  if (at < 1)
    return fail(`--set wants path=value, such as --set probe.intervalMs=500, not "${text}"\n\n${helpText(service)}`)
  return [text.slice(0, at), text.slice(at + 1)]
}

function helpText(service: string): string {
  return `Usage: siplb-${service} [--config FILE] [--set path=value]...

  -c, --config FILE   the configuration (or SIPLB_CONFIG); config/siplb.yaml is the sample with every key
  --set path=value    one setting, such as --set probe.intervalMs=500; may be repeated
  --version           print the version
  -h, --help          print this

A setting is taken from --set, else from the environment (SIPLB_PROBE__INTERVAL_MS, or SIPLB_NATS__PASSWORD_FILE
with the name of a file that holds it), else from the file, else it has its default.`
}

function refuse(problems: readonly ConfigProblem[], file: string | undefined): never {
  const count = problems.length === 1 ? 'this' : `these ${problems.length}`
  const cure =
    file === undefined
      ? `Not started: mend ${count} in the environment or the flags, or name a configuration by --config FILE.`
      : `Not started: mend ${count}; "siplb config check ${file}" checks the file without starting anything.`
  return fail([...problems.map(formatProblem), cure].join('\n'))
}

function fail(text: string): never {
  process.stderr.write(`${text}\n`)
  return process.exit(USAGE)
}

function leave(text: string): never {
  process.stdout.write(`${text}\n`)
  return process.exit(0)
}
