import { readFileSync } from 'node:fs'
import { nearest } from './nearest.ts'
import type { ConfigProblem, Path } from './problem.ts'
import { fromText, settingsOf, type Setting, type Shape } from './shape.ts'

/** A setting given outside the file. */
export interface Given {
  readonly path: Path
  readonly value: unknown
  /** The variable, or `--set`. */
  readonly origin: string
}

export interface Outside {
  readonly given: readonly Given[]
  readonly problems: readonly ConfigProblem[]
}

const PREFIX = 'SIPLB_'

/** Variables of our name that are no settings: for finding the file, for the way to the sockets, for docker-compose.yml, and for tests. */
const notSettings = [
  /^SIPLB_CONFIG(_FILE)?$/,
  /^SIPLB_UDP$/,
  /^SIPLB_PROTOS_DIR$/,
  /^SIPLB_SIP_PORTS$/,
  /^SIPLB_NATS_PORT$/,
  /^SIPLB_NATS_[A-Z]+_PASSWORD$/,
]

/**
 * Settings from the environment: `SIPLB_PROBE__INTERVAL_MS` is `probe.intervalMs`. With `_FILE` behind it the variable names
 * a file that holds the value, as container secrets do. An empty variable counts as not set.
 */
export function fromEnvironment(env: Readonly<Record<string, string | undefined>>, shape: Shape): Outside {
  const settings = new Map(settingsOf(shape).map((setting) => [variableOf(setting.path), setting]))
  const given: Given[] = []
  const problems: ConfigProblem[] = []
  for (const [variable, text] of Object.entries(env)) {
    if (!variable.startsWith(PREFIX) || text === undefined || text === '') continue
    if (notSettings.some((pattern) => pattern.test(variable))) continue
    const setting = settings.get(variable)
    if (setting !== undefined) {
      given.push({ path: setting.path, value: fromText(text, setting.shape), origin: variable })
      continue
    }
    const found = fromSecretFile(variable, text, settings)
    if (found === undefined) problems.push(unknownVariable(variable, shape, settings))
    else if ('message' in found) problems.push(found)
    else if (env[secretOf(variable)])
      problems.push({ origin: variable, path: '', message: `give this or ${secretOf(variable)}, not both` })
    else given.push(found)
  }
  return { given, problems }
}

function fromSecretFile(
  variable: string,
  file: string,
  settings: ReadonlyMap<string, Setting>,
): Given | ConfigProblem | undefined {
  const setting = variable.endsWith('_FILE') ? settings.get(secretOf(variable)) : undefined
  if (setting === undefined) return undefined
  try {
    const text = readFileSync(file, 'utf8').replace(/\r?\n$/, '')
    return { path: setting.path, value: fromText(text, setting.shape), origin: variable }
  } catch {
    return { origin: variable, path: setting.path.join('.'), message: `the file ${file} cannot be read` }
  }
}

function secretOf(variable: string): string {
  return variable.slice(0, -'_FILE'.length)
}

function unknownVariable(variable: string, shape: Shape, settings: ReadonlyMap<string, Setting>): ConfigProblem {
  const top = variable.slice(PREFIX.length).split('__', 1)[0] ?? ''
  const group = shape.kind === 'group' ? [...shape.keys].find(([key]) => upperSnake(key) === top) : undefined
  if (group?.[1].kind === 'map') return { origin: variable, path: group[0], message: 'can be given in the file only' }
  const hint = nearest(variable, settings.keys())
  return { origin: variable, path: '', message: 'is no setting', ...(hint === undefined ? {} : { hint }) }
}

/** Settings by flag: `--set probe.intervalMs=500`. */
export function fromOverrides(overrides: Readonly<Record<string, string>>, shape: Shape): Outside {
  const settings = new Map(settingsOf(shape).map((setting) => [setting.path.join('.'), setting]))
  const given: Given[] = []
  const problems: ConfigProblem[] = []
  for (const [path, text] of Object.entries(overrides)) {
    const setting = settings.get(path)
    if (setting === undefined) {
      const hint = nearest(path, settings.keys())
      problems.push({
        origin: '--set',
        path,
        message: unsettable(path, shape),
        ...(hint === undefined ? {} : { hint }),
      })
    } else given.push({ path: setting.path, value: fromText(text, setting.shape), origin: '--set' })
  }
  return { given, problems }
}

function unsettable(path: string, shape: Shape): string {
  const top = shape.kind === 'group' ? shape.keys.get(path.split('.', 1)[0] ?? '') : undefined
  return top?.kind === 'map' ? 'can be given in the file only' : 'is no setting'
}

/** `probe.intervalMs` → `SIPLB_PROBE__INTERVAL_MS`. */
function variableOf(path: readonly string[]): string {
  return `${PREFIX}${path.map(upperSnake).join('__')}`
}

function upperSnake(key: string): string {
  return key.replaceAll(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase()
}
