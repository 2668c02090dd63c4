import { readFileSync } from 'node:fs'
import { isAlias, isCollection, isMap, isNode, isPair, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml'
import type { Alias, Document, YAMLError } from 'yaml'
import type { ConfigProblem, Path } from './problem.ts'

/** A place in the file. */
interface Place {
  readonly line: number
  readonly column: number
  /** False behind a syntax error, where what was read need not be what was written. */
  readonly isCertain: boolean
}

/** A file as read: its value, what is wrong with its syntax, and where each key and value stands. */
export interface YamlFile {
  readonly value: unknown
  readonly problems: readonly ConfigProblem[]
  /** The value at a path, or its key; of what is not there, the nearest thing around it that is. */
  place(path: Path, which?: 'value' | 'key'): Place | undefined
}

export function readYaml(file: string): YamlFile {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    return { value: undefined, problems: [{ file, path: '', message: unreadable(error) }], place: () => undefined }
  }
  return parseYaml(text, file)
}

function unreadable(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code === 'ENOENT') return 'is not there'
  if (code === 'EACCES') return 'may not be read by this user'
  if (code === 'EISDIR') return 'is a folder, not a file'
  return `cannot be read (${String(code ?? error)})`
}

function parseYaml(text: string, file: string): YamlFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const problems = document.errors.map((error) => syntaxProblem(error, file, lines))
  const broken = document.errors.filter((error) => error.code !== 'DUPLICATE_KEY').map((error) => error.pos[0])
  const certainUntil = Math.min(Number.POSITIVE_INFINITY, ...broken)
  const place = (path: Path, which: 'value' | 'key' = 'value'): Place => {
    const [start, end] = rangeOf(document, path, which)
    const { line, col } = lines.linePos(start)
    return { line: Math.max(line, 1), column: Math.max(col, 1), isCertain: end <= certainUntil }
  }
  try {
    return { value: document.toJS(), problems, place }
  } catch (error) {
    // Without values nothing else can be said of them.
    const found = aliasProblem(document, error, file, lines)
    return { value: undefined, problems: [...problems, found], place: () => undefined }
  }
}

const cures: Readonly<Partial<Record<YAMLError['code'], string>>> = {
  DUPLICATE_KEY: 'this key is there twice',
  MULTIPLE_DOCS: 'a second document begins here: one file is one configuration, so take the --- out',
}

function syntaxProblem({ code, message, pos }: YAMLError, file: string, lines: LineCounter): ConfigProblem {
  const { line, col } = lines.linePos(pos[0])
  const text = cures[code] ?? message.charAt(0).toLowerCase() + message.slice(1)
  return { file, line, column: col, path: '', message: text }
}

/** Values cannot be had for two reasons: an alias without an anchor before it, or more aliases than a person writes. */
function aliasProblem(document: Document, error: unknown, file: string, lines: LineCounter): ConfigProblem {
  let first: Alias | undefined
  let dangling: Alias | undefined
  visit(document, {
    Alias(_, alias) {
      first ??= alias
      if (alias.resolve(document) === undefined) dangling ??= alias
    },
  })
  const { line, col } = lines.linePos(nodeRange(dangling ?? first)?.[0] ?? 0)
  const message =
    dangling === undefined
      ? `has too many aliases (${error instanceof Error ? error.message : String(error)}): write the values out`
      : `the alias *${dangling.source} has no anchor before it: write &${dangling.source} where the value is first`
  return { file, line, column: col, path: '', message }
}

type Range = readonly [start: number, end: number]

function rangeOf(document: Document, path: Path, which: 'value' | 'key'): Range {
  let node: unknown = document.contents
  let range = nodeRange(node) ?? [0, 0]
  for (const [depth, wanted] of path.entries()) {
    if (isAlias(node)) node = node.resolve(document)
    const pair = isMap(node) ? node.items.findLast(({ key }) => keyText(key) === String(wanted)) : undefined
    const item = isSeq(node) ? node.items[Number(wanted)] : undefined
    const next: unknown = pair === undefined ? item : pair.value
    // What is not there may stand behind a syntax error.
    if (pair === undefined && item === undefined) return [range[0], Number.POSITIVE_INFINITY]
    const isLast = depth === path.length - 1
    const key = nodeRange(pair?.key)
    const value = nodeRange(next)
    // A group is pointed at by its key; so is what has no value.
    const wantsKey = key !== undefined && (value === undefined || isCollection(next) || (isLast && which === 'key'))
    range = wantsKey ? [key[0], isLast && which === 'key' ? key[1] : (value?.[1] ?? key[1])] : (value ?? range)
    node = next
  }
  return range
}

function nodeRange(node: unknown): Range | undefined {
  if (isPair(node)) return nodeRange(node.key)
  if (!isNode(node) || node.range === undefined || node.range === null) return undefined
  return [node.range[0], node.range[1]]
}

function keyText(key: unknown): string | undefined {
  return isScalar(key) ? String(key.value) : undefined
}
