import type { z } from 'zod'
import { errorText, findingsOf, type Finding } from './issues.ts'
import { fromEnvironment, fromOverrides, type Given } from './outside.ts'
import { pathText, type ConfigProblem, type Path } from './problem.ts'
import { shapeOf, type Shape } from './shape.ts'
import { readYaml, type YamlFile } from './yaml-file.ts'

/** Where configuration comes from. An override wins over the environment, that over the file, that over the defaults. */
export interface ConfigSource {
  readonly file?: string | undefined
  readonly env: Readonly<Record<string, string | undefined>>
  /** By path: `{ 'probe.intervalMs': '500' }`. */
  readonly overrides?: Readonly<Record<string, string>> | undefined
}

export type LoadedConfig<T> =
  | { readonly kind: 'loaded'; readonly config: T; readonly file?: string }
  | { readonly kind: 'invalid'; readonly problems: readonly ConfigProblem[] }

/**
 * The configuration, or everything that is wrong with it, in the order of the file. Never throws for what a user wrote. Zod
 * leaves out the rules that join several values while one of them has the wrong type, unless the schema gives them a `when`.
 */
export function loadConfig<T>(schema: z.ZodType<T>, { file, env, overrides = {} }: ConfigSource): LoadedConfig<T> {
  const shape = shapeOf(schema)
  const yaml = file === undefined ? undefined : readYaml(file)
  const environment = fromEnvironment(env, shape)
  const flags = fromOverrides(overrides, shape)
  const given = [...environment.given, ...flags.given]

  let value = withoutEmpty(yaml?.value ?? {}, shape)
  for (const { path, value: text } of given) value = withValue(value, path, text)
  const parsed = schema.safeParse(value, { error: errorText })
  const findings = parsed.success ? [] : findingsOf(parsed.error.issues, value, shape)

  const located = findings.flatMap((finding) => locate(finding, { yaml, file, given }) ?? [])
  const problems = [...inOrder([...(yaml?.problems ?? []), ...located]), ...environment.problems, ...flags.problems]
  if (!parsed.success || problems.length > 0) return { kind: 'invalid', problems }
  return { kind: 'loaded', config: parsed.data, ...(file === undefined ? {} : { file }) }
}

interface Sources {
  readonly yaml: YamlFile | undefined
  readonly file: string | undefined
  readonly given: readonly Given[]
}

/** Undefined for what a syntax error before it may have caused. */
function locate(finding: Finding, { yaml, file, given }: Sources): ConfigProblem | undefined {
  const { path, pointsAt, message, hint } = finding
  const said = { path: pathText(path), message, ...(hint === undefined ? {} : { hint }) }
  const giver = given.findLast((one) => one.path.every((key, i) => key === path[i]))
  if (giver !== undefined) return { origin: giver.origin, ...said }
  if (yaml === undefined || file === undefined) return said
  const place = yaml.place(path, pointsAt)
  if (place === undefined || !place.isCertain) return undefined
  return { file, line: place.line, column: place.column, ...said }
}

function inOrder(problems: readonly ConfigProblem[]): ConfigProblem[] {
  const at = (problem: ConfigProblem) => problem.line ?? Number.POSITIVE_INFINITY
  return problems.toSorted((a, b) => (at(a) === at(b) ? (a.column ?? 0) - (b.column ?? 0) : at(a) < at(b) ? -1 : 1))
}

/** A key with nothing behind it, such as a section whose lines are all comments, is a key left out. */
function withoutEmpty(value: unknown, shape: Shape | undefined): unknown {
  if (Array.isArray(value)) {
    return value.map((item: unknown) => withoutEmpty(item, shape?.kind === 'list' ? shape.item : undefined))
  }
  if (!isRecord(value)) return value
  const isGroup = shape?.kind === 'group'
  const kept = Object.entries(value).filter(([key, inner]) => !(isGroup && inner === null && shape.keys.has(key)))
  const innerShape = (key: string) => (isGroup ? shape.keys.get(key) : shape?.kind === 'map' ? shape.value : undefined)
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutEmpty(inner, innerShape(key))]))
}

function withValue(value: unknown, path: Path, wanted: unknown): unknown {
  const [key, ...rest] = path
  if (key === undefined) return wanted
  const group = isRecord(value) ? value : {}
  return { ...group, [key]: withValue(group[key], rest, wanted) }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
