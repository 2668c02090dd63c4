import type { Command } from './command.ts'
import { globalOptions, options, type Option, type OptionName } from './options.ts'
import { usageLine } from './parse.ts'

/** Help for the words typed so far: a command, a group of commands, or all. */
export function helpText(commands: readonly Command[], words: readonly string[]): string {
  const typed = words.slice(0, 2).join(' ')
  const exact = commands.find(({ name }) => name === typed || name === words[0])
  if (exact !== undefined) return commandHelp(exact)
  const group = commands.filter(({ name }) => name.split(' ', 1)[0] === words[0])
  return overview(group.length > 0 ? group : commands)
}

function commandHelp(command: Command): string {
  const { summary, details, options: own } = command
  const text = [usageLine(command), '', `${capital(summary)}.`, ...(details === undefined ? [] : [details])]
  const ownOptions = own.length === 0 ? [] : ['', 'Options', ...own.map(optionLine)]
  return [...text, ...ownOptions, '', 'Options of every command', ...globalOptions.map(optionLine)].join('\n')
}

function overview(commands: readonly Command[]): string {
  const usage = ({ name, args }: Command) => [name, ...args].join(' ')
  const width = Math.max(...commands.map((command) => usage(command).length))
  return [
    'usage: siplb COMMAND [OPTION]...',
    '',
    ...commands.map((command) => `  ${usage(command).padEnd(width)}  ${command.summary}`),
    '',
    'Options of every command',
    ...globalOptions.map(optionLine),
    '',
    'Exit codes: 0 done, 1 failed, 2 usage or configuration.',
  ].join('\n')
}

function optionLine(name: OptionName): string {
  const { value, short, help }: Option = options[name]
  const flag = `${short === undefined ? '    ' : `-${short}, `}--${name}${value === undefined ? '' : ` ${value}`}`
  return `  ${flag.padEnd(26)}  ${help}`
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
