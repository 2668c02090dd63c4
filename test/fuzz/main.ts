import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { fuzz } from './run.ts'
import type { Report, Slowest, Stint } from './stint.ts'

const HELP = `npm run fuzz [-- OPTIONS]

Sends broken, odd and slow messages through the reader and all that is made of a message, and holds what comes out against what is
promised: nothing is thrown, what is forwarded is one valid message, and what was not to be changed is octet for octet the same.

  --cases N      how many (100000)
  --seconds N    at most so long
  --seed N       of all chance (1)
  --help

Exit code 1 when a promise does not hold, 2 when an option is wrong. What was found is kept in files; the good ones belong in
libs/sip/test/data/fuzz, where a unit test runs them.
`

/** A message within bounds is read in 2 ms at the worst. */
const MOST_MS = 2

function stintOrExit(): Stint {
  try {
    return stintOf(process.argv.slice(2))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    console.error('See npm run fuzz -- --help')
    process.exit(2)
  }
}

function stintOf(args: readonly string[]): Stint {
  const { values } = parseArgs({
    args: [...args],
    options: {
      cases: { type: 'string' },
      seconds: { type: 'string' },
      seed: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(HELP)
    process.exit(0)
  }
  const { cases, seconds, seed } = values
  return {
    seed: number('seed', seed),
    cases: cases === undefined ? (seconds === undefined ? 100_000 : Infinity) : number('cases', cases),
    forMs: seconds === undefined ? Infinity : number('seconds', seconds) * 1_000,
  }
}

function number(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name} ${text}: must be a whole number`)
  return Number(text)
}

function tell({ cases, streams, kinds, slowestScan, slowestWay }: Report, ms: number): void {
  const { request, response, malformed } = kinds
  console.log(
    `${cases} cases in ${(ms / 1_000).toFixed(1)} s: ${request} requests, ${response} responses taken, ${malformed} refused; ${streams} streams`,
  )
  console.log(`slowest to read: ${textOf(slowestScan)}`)
  console.log(`slowest until sent on: ${textOf(slowestWay)}`)
}

function textOf({ ms, bytes }: Slowest): string {
  const start = JSON.stringify(Buffer.from(bytes).toString('latin1').slice(0, 60))
  return `${ms.toFixed(2)} ms, ${bytes.length} octets, ${start} …`
}

/** Files of what broke a promise; how many. */
function keep({ found, slowestScan, slowestWay }: Report): number {
  const slow = [slowestScan, slowestWay].filter(({ ms }) => ms > MOST_MS)
  const all = [...found, ...slow.map(({ ms, bytes }) => ({ promise: `it takes ${ms.toFixed(2)} ms`, bytes }))]
  if (all.length === 0) return 0
  const folder = mkdtempSync(join(tmpdir(), 'siplb-fuzz-'))
  all.forEach(({ promise, bytes }, i) => {
    const file = join(folder, `found-${i + 1}.dat`)
    writeFileSync(file, bytes)
    console.log(`broken: ${promise}\n  ${file}`)
  })
  return all.length
}

const stint = stintOrExit()
const begun = performance.now()
const report = await fuzz(stint)
tell(report, performance.now() - begun)
process.exitCode = keep(report) === 0 ? 0 : 1
