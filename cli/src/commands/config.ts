import { config as schema, type Config } from '@siplb/contracts'
import { configText, formatProblem, loadConfig, withoutSecrets, type ConfigProblem } from '@siplb/runtime'
import type { Call, Command } from '../command.ts'
import { misuse } from '../errors.ts'
import { overridesOf } from '../set-option.ts'

const check: Command = {
  name: 'config check',
  args: ['FILE'],
  options: ['set'],
  summary: 'say all that is wrong with a configuration file; exit code 2 then',
  run: (call) => {
    const { pools } = load(call, printProblems)
    const count = Object.values(pools).reduce((sum, pool) => sum + pool.proxies.length, 0)
    const facts = { file: call.args[0], problems: [], pools: Object.keys(pools), proxies: count }
    const text = `${facts.file}: good; pools: ${facts.pools.join(', ') || 'none'}; proxies: ${count}`
    call.print(call.output === 'json' ? JSON.stringify(facts) : text)
  },
}

const print: Command = {
  name: 'config print',
  args: ['FILE'],
  options: ['set'],
  summary: 'print the configuration as it takes effect: file, environment and defaults; secrets masked',
  run: (call) => {
    const shown = withoutSecrets(schema, load(call))
    call.print(call.output === 'json' ? JSON.stringify(shown, null, 2) : configText(shown).trimEnd())
  },
}

export const configCommands: readonly Command[] = [check, print]

function load(call: Call, onProblems?: (call: Call, problems: readonly ConfigProblem[]) => void): Config {
  const loaded = loadConfig(schema, { file: call.args[0], env: call.env, overrides: overridesOf(call) })
  if (loaded.kind === 'loaded') return loaded.config
  onProblems?.(call, loaded.problems)
  throw misuse(loaded.problems.map(formatProblem).join('\n'))
}

/** For programs; a person finds them on standard error. */
function printProblems(call: Call, problems: readonly ConfigProblem[]): void {
  if (call.output === 'json') call.print(JSON.stringify({ file: call.args[0], problems }))
}
