import { parseArgs } from 'node:util'
import { nearest } from '@siplb/runtime'
import type { Command } from './command.ts'
import { misuse, type CommandError } from './errors.ts'
import { globalOptions, options, type Given, type Option, type OptionName } from './options.ts'

export interface Typed {
  /** The words that are no options. */
  readonly words: readonly string[]
  readonly given: Given
}

/** Options may stand anywhere. Throws a `CommandError` for one that no command knows. */
export function parse(argv: readonly string[]): Typed {
  const names = Object.keys(options).filter(isOption)
  const specs = Object.fromEntries(names.map((name) => [name, specOf(options[name])]))
  const { tokens } = parseArgs({ args: [...argv], options: specs, strict: false, tokens: true })
  const given: Partial<Record<OptionName, string[]>> = {}
  for (const token of tokens) {
    if (token.kind !== 'option') continue
    const { name, rawName, value } = token
    if (!isOption(name)) throw unknownOption(rawName, names)
    const wanted: Option = options[name]
    if (wanted.value !== undefined && (value === undefined || (looksLikeOption(value) && !token.inlineValue)))
      throw misuse(`${rawName} wants a value: ${rawName} ${wanted.value}`)
    if (wanted.value === undefined && value !== undefined) throw misuse(`${rawName} takes no value`)
    given[name] = [...(given[name] ?? []), value ?? 'true']
  }
  return { words: tokens.flatMap((token) => (token.kind === 'positional' ? token.value : [])), given }
}

// A number below 0 is a wrong value, and no option.
function looksLikeOption(text: string): boolean {
  return /^-(?!\d)/.test(text)
}

function specOf({ value, short }: Option) {
  const type = value === undefined ? ('boolean' as const) : ('string' as const)
  return short === undefined ? { type } : { type, short }
}

function isOption(name: string): name is OptionName {
  return Object.hasOwn(options, name)
}

function unknownOption(rawName: string, names: readonly string[]): CommandError {
  const near = nearest(rawName.replace(/^-+/, ''), names)
  return misuse(
    `there is no option ${rawName}${near === undefined ? '' : ` (did you mean --${near}?)`}; --help says what there is`,
  )
}

/** Throws a `CommandError` for words that are neither a command nor the start of one. */
export function checkWords(commands: readonly Command[], words: readonly string[]): void {
  const isKnown = commands.some(
    ({ name }) => isStart(name, words) || (words.length < 2 && name.startsWith(`${words[0] ?? ''} `)),
  )
  if (words.length > 0 && !isKnown) throw unknownCommand(commands, words)
}

/** The command that the words name, with what is left of them as its arguments. */
export function find(
  commands: readonly Command[],
  { words, given }: Typed,
): { command: Command; args: readonly string[] } {
  const command = commands.find(({ name }) => isStart(name, words))
  if (command === undefined) throw unknownCommand(commands, words)
  const args = words.slice(command.name.split(' ').length)
  const usage = usageLine(command)
  if (args.length !== command.args.length) throw misuse(usage)
  const foreign = Object.keys(given).find((name) => !optionsOf(command).some((known) => known === name))
  if (foreign !== undefined) throw misuse(`siplb ${command.name} takes no --${foreign}; ${usage}`)
  return { command, args }
}

function isStart(name: string, words: readonly string[]): boolean {
  return name.split(' ').every((part, i) => part === words[i])
}

function unknownCommand(commands: readonly Command[], words: readonly string[]): CommandError {
  const typed = words.slice(0, 2).join(' ')
  const group = commands.filter(({ name }) => name.split(' ', 1)[0] === typed)
  if (group.length > 0) return misuse(`say what to do: ${group.map(({ name }) => `siplb ${name}`).join(', ')}`)
  const near = nearest(
    typed,
    commands.map(({ name }) => name),
  )
  const meant = near === undefined ? '' : ` (did you mean "${near}"?)`
  return misuse(`there is no command "${typed}"${meant}; siplb --help says what there is`)
}

export function usageLine({ name, args, options: own }: Command): string {
  const flags = own.map((option) => {
    const { value }: Option = options[option]
    return `[--${option}${value === undefined ? '' : ` ${value}`}]`
  })
  return `usage: siplb ${[name, ...args, ...flags].join(' ')}`
}

function optionsOf(command: Command): readonly OptionName[] {
  return [...command.options, ...globalOptions]
}
