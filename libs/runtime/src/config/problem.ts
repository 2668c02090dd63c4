/** Something wrong with the configuration, and where a person finds it. */
export interface ConfigProblem {
  readonly file?: string
  /** From 1, as editors count. */
  readonly line?: number
  readonly column?: number
  /** What said it when it was no file: an environment variable, or `--set`. */
  readonly origin?: string
  /** Such as `pools.default.proxies[0].uri`; empty for the file as a whole. */
  readonly path: string
  readonly message: string
  /** What was probably meant. */
  readonly hint?: string
}

export type Path = readonly (string | number)[]

/** `file:line:column: path: message (did you mean …?)` */
export function formatProblem({ file, line, column, origin, path, message, hint }: ConfigProblem): string {
  const place = [file ?? origin, line, column].filter((part) => part !== undefined).join(':')
  const meant = hint === undefined ? '' : ` (did you mean ${hint}?)`
  return [place, path, `${message}${meant}`].filter((part) => part !== '').join(': ')
}

export function pathText(path: Path): string {
  return path.map((key, i) => (typeof key === 'number' ? `[${key}]` : i === 0 ? key : `.${key}`)).join('')
}
