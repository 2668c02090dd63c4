import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { toSvg } from './picture/svg.ts'
import { runAll, type Run } from './run.ts'
import type { Scenario } from './scenario.ts'
import { scenarios } from './scenarios/all.ts'
import { broken, tableOf } from './table.ts'

const HELP = `npm run sim [-- OPTIONS]

Runs the balancing scenarios in simulated time and prints what came of them, beside peers. Takes a minute or two.

  --seed N         of all chance (7); the same seed gives the same table
  --only NAME      one scenario; again for more
  --pictures DIR   writes pictures there, as SVG
  --help

Exit code 1 when a promise does not hold, 2 when an option is wrong.

${scenarios.map(({ name, shows }) => `  ${name.padEnd(20)} ${shows}`).join('\n')}
`

interface Options {
  readonly seed: number
  readonly wanted: readonly Scenario[]
  readonly pictures: string | undefined
}

function optionsOrExit(): Options {
  try {
    return optionsOf(process.argv.slice(2))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    console.error('See npm run sim -- --help')
    process.exit(2)
  }
}

function optionsOf(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      seed: { type: 'string', default: '7' },
      only: { type: 'string', multiple: true },
      pictures: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(HELP)
    process.exit(0)
  }
  if (!/^\d{1,9}$/.test(values.seed)) throw new Error(`--seed ${values.seed}: must be a whole number, such as 7`)
  return { seed: Number(values.seed), wanted: wantedOf(values.only), pictures: values.pictures }
}

function wantedOf(only: readonly string[] | undefined): readonly Scenario[] {
  if (only === undefined) return scenarios
  const unknown = only.filter((name) => !scenarios.some((one) => one.name === name))
  const names = scenarios.map(({ name }) => name).join(', ')
  if (unknown.length > 0) throw new Error(`--only ${unknown.join(', ')}: there is no such scenario; there are ${names}`)
  return scenarios.filter(({ name }) => only.includes(name))
}

function draw(runs: readonly Run[], folder: string): void {
  mkdirSync(folder, { recursive: true })
  for (const { findings } of runs)
    for (const [name, chart] of Object.entries(findings.charts ?? {}))
      writeFileSync(join(folder, `${name}.svg`), toSvg(chart))
}

const { seed, wanted, pictures } = optionsOrExit()
console.error(`${wanted.length} scenarios, seed ${seed}`)
const runs = await runAll(wanted, seed, ({ name }, ms) => console.error(`  ${name}: ${(ms / 1000).toFixed(1)} s`))
console.log(`Seed ${seed}\n\n${tableOf(runs)}`)
if (pictures !== undefined) draw(runs, pictures)
const failed = broken(runs)
for (const { what, ours, promise } of failed) console.error(`Does not hold: ${what}: ${ours}, promised ${promise}`)
process.exitCode = failed.length > 0 ? 1 : 0
