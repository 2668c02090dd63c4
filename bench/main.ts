import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { time, type Bench, type Suite, type Timed } from './bench.ts'

const HELP = `npm run bench [-- PART-OF-A-NAME …]

Times the hot functions, one after the other: CPU microseconds for one operation, the middle of 15 rounds, and between which
values half of the rounds lay. Nothing is asserted.
`

const wanted = process.argv.slice(2)
if (wanted.includes('--help')) {
  console.log(HELP)
  process.exit(0)
}

const isWanted = ({ name }: Bench) => wanted.length === 0 || wanted.some((part) => name.includes(part))

function isSuite(module: unknown): module is { readonly suite: Suite } {
  return typeof module === 'object' && module !== null && 'suite' in module
}

async function suites(): Promise<Suite[]> {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.bench.ts'))
  const modules: unknown[] = await Promise.all(
    files.toSorted().map((name) => import(join(import.meta.dirname, name)) as Promise<unknown>),
  )
  return modules.filter(isSuite).map(({ suite }) => suite)
}

function rowOf({ name, micros, lower, upper }: Timed): string {
  const digits = micros < 10 ? 3 : 1
  const spread = `${lower.toFixed(digits)}–${upper.toFixed(digits)}`
  return `| ${name.padEnd(58)} | ${micros.toFixed(digits).padStart(10)} | ${spread.padStart(17)} |`
}

console.log(`| ${'what'.padEnd(58)} | ${'µs'.padStart(10)} | ${'half of the rounds'.padStart(17)} |`)
console.log('|---|---:|---:|')
const notes: string[] = []
for (const { benches, notes: notesOn } of await suites()) {
  const micros = new Map<string, number>()
  for (const one of benches) {
    for (const timed of await time([one].flat().filter(isWanted))) {
      micros.set(timed.name, timed.micros)
      console.log(rowOf(timed))
    }
  }
  if (micros.size > 0) notes.push(...(notesOn?.(micros) ?? []))
}
if (notes.length > 0) console.log(`\n${notes.join('\n')}`)
// What an ingress has begun would wait for its timers.
process.exit()
