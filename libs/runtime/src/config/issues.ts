import type { z } from 'zod'
import { nearest } from './nearest.ts'
import type { Path } from './problem.ts'
import { shapeAt, type Shape } from './shape.ts'

/** Something that a schema says of a value. */
export interface Finding {
  readonly path: Path
  readonly pointsAt: 'key' | 'value'
  readonly message: string
  readonly hint?: string
}

type Issue = z.core.$ZodIssue

const words: Readonly<Record<string, string>> = {
  object: 'a group of settings',
  record: 'a group of settings',
  array: 'a list',
  string: 'text',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
}

/** Our words for what a schema itself has no words for. */
export function errorText(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return issue.input === undefined ? 'is missing' : `must be ${words[issue.expected] ?? issue.expected}`
    case 'invalid_value':
      return `must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`
    case 'too_small':
      return `must be ${issue.inclusive === false ? 'above' : 'at least'} ${issue.minimum}${unitOf(issue.origin)}`
    case 'too_big':
      return `must be ${issue.inclusive === false ? 'below' : 'at most'} ${issue.maximum}${unitOf(issue.origin)}`
    case 'invalid_format':
      return issue.format === 'url' ? 'must be an address such as http://10.0.0.11:8080/RPC' : undefined
    default:
      return undefined
  }
}

function unitOf(origin: string): string {
  if (origin === 'string') return ' characters long'
  return origin === 'array' ? ' entries long' : ''
}

/** One finding per key, and per value the first: a value that is wrong once needs no second sentence. */
export function findingsOf(issues: readonly Issue[], value: unknown, shape: Shape): Finding[] {
  const seen = new Set<string>()
  return issues
    .flatMap((issue) => flatten(issue))
    .flatMap((issue) => (issue.code === 'unrecognized_keys' ? unknownKeys(issue, shape) : [finding(issue, value)]))
    .filter(({ path }) => {
      const id = JSON.stringify(path)
      return seen.has(id) ? false : seen.add(id)
    })
}

/** Of a union, what is wrong with the alternative that was meant: the one whose own type fits. */
function flatten(issue: Issue): Issue[] {
  if (issue.code !== 'invalid_union' || issue.message !== 'Invalid input') return [issue]
  const meant = issue.errors.find((errors) => !errors.some((e) => e.code === 'invalid_type' && e.path.length === 0))
  const chosen = meant ?? issue.errors[0] ?? []
  return chosen.flatMap((inner) => flatten({ ...inner, path: [...issue.path, ...inner.path] }))
}

function unknownKeys(issue: z.core.$ZodIssueUnrecognizedKeys, shape: Shape): Finding[] {
  const group = shapeAt(shape, pathOf(issue))
  const known = group?.kind === 'group' ? [...group.keys.keys()] : []
  return issue.keys.map((key) => {
    const hint = nearest(key, known)
    const message =
      hint === undefined && known.length > 0 ? `is no key here; there is ${known.join(', ')}` : 'is no key here'
    return { path: [...pathOf(issue), key], pointsAt: 'key', message, ...(hint === undefined ? {} : { hint }) }
  })
}

function finding(issue: Issue, value: unknown): Finding {
  const path = pathOf(issue)
  if (issue.code === 'invalid_key') return { path, pointsAt: 'key', message: issue.issues[0]?.message ?? issue.message }
  const written = valueAt(value, path)
  const hint =
    issue.code === 'invalid_value' && typeof written === 'string'
      ? nearest(written, issue.values.map(String))
      : undefined
  return { path, pointsAt: 'value', message: issue.message, ...(hint === undefined ? {} : { hint }) }
}

function pathOf(issue: Issue): Path {
  return issue.path.map((key) => (typeof key === 'number' ? key : String(key)))
}

function valueAt(value: unknown, path: Path): unknown {
  let here = value
  for (const key of path) {
    if (typeof here !== 'object' || here === null) return undefined
    here = new Map<string, unknown>(Object.entries(here)).get(String(key))
  }
  return here
}
