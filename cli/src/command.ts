import type { Given, OptionName } from './options.ts'

/** What a command has to work with. */
export interface Call {
  readonly args: readonly string[]
  readonly given: Given
  readonly env: Readonly<Record<string, string | undefined>>
  readonly output: 'table' | 'json'
  /** A line, or several, on standard output. */
  readonly print: (text: string) => void
  /** The same on standard error: what is not the answer. */
  readonly remark: (text: string) => void
  /** Aborted when the user wants to stop. */
  readonly stopped: AbortSignal
}

export interface Command {
  /** As it is typed: `proxies add`. */
  readonly name: string
  /** The names of its arguments; all are needed. */
  readonly args: readonly string[]
  readonly options: readonly OptionName[]
  readonly summary: string
  readonly details?: string
  readonly run: (call: Call) => Promise<void> | void
}

/** The last value given for an option. */
export function valueOf(call: { readonly given: Given }, option: OptionName): string | undefined {
  return call.given[option]?.at(-1)
}
