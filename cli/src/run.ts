import { version } from '@siplb/runtime'
import type { Call, Command } from './command.ts'
import { agent } from './commands/agent.ts'
import { configCommands } from './commands/config.ts'
import { events } from './commands/events.ts'
import { proxies } from './commands/proxies.ts'
import { replayCommand } from './commands/replay.ts'
import { weights } from './commands/weights.ts'
import { CommandError, misuse } from './errors.ts'
import { helpText } from './help.ts'
import { checkWords, find, parse } from './parse.ts'

const commands: readonly Command[] = [...proxies, weights, events, replayCommand, agent, ...configCommands]

/** What the command line is run with. */
export type Surroundings = Pick<Call, 'env' | 'print' | 'remark' | 'stopped'>

/** Runs one command and returns its exit code: 0 done, 1 failed, 2 usage or configuration. */
export async function run(argv: readonly string[], surroundings: Surroundings): Promise<0 | 1 | 2> {
  try {
    await runOrThrow(argv, surroundings)
    return 0
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    surroundings.remark(error.message)
    return error.exitCode
  }
}

async function runOrThrow(argv: readonly string[], surroundings: Surroundings): Promise<void> {
  const typed = parse(argv)
  const { words, given } = typed
  if (given.version !== undefined) return surroundings.print(`siplb ${version}`)
  if (given.help !== undefined) {
    checkWords(commands, words)
    return surroundings.print(helpText(commands, words))
  }
  if (words.length === 0) throw misuse(helpText(commands, words))
  const { command, args } = find(commands, typed)
  const output = given.output?.at(-1) ?? 'table'
  if (output !== 'table' && output !== 'json') throw misuse(`-o wants table or json, not "${output}"`)
  await command.run({ ...surroundings, args, given, output })
}
