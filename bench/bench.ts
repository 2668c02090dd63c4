import { setTimeout as sleep } from 'node:timers/promises'
import { median } from './calls/figures.ts'

/** One hot function. */
export interface Bench {
  readonly name: string
  /** Does it `operations` times; what it returns is kept, so that nothing is optimised away. */
  readonly run: () => unknown
  /** Default 1. */
  readonly operations?: number
  /**
   * So many runs to warm up and in each round, for what costs more the more often it was done. Without them it is run for a time,
   * which has no end where each run is dearer than the one before.
   */
  readonly runs?: { readonly warmUp: number; readonly round: number }
}

/** What a file of benches gives: they are run in order, those of a list by turns, for their ratio is what is asked for. */
export interface Suite {
  readonly benches: readonly (Bench | readonly Bench[])[]
  /** What follows from the figures, such as a ratio that was promised. */
  readonly notes?: (micros: ReadonlyMap<string, number>) => readonly string[]
}

export interface Timed {
  readonly name: string
  /** CPU microseconds for one operation, in the middle and half of the rounds around it. */
  readonly micros: number
  readonly lower: number
  readonly upper: number
}

const WARM_UP_MS = 400
const ROUND_MS = 40
const ROUNDS = 15

const kept: { last: unknown } = { last: undefined }

/**
 * CPU time of this process, not the clock: who else runs on the machine then costs cache misses only. Garbage collection, timers
 * and the compiler's threads are in it.
 */
export async function time(benches: readonly Bench[]): Promise<Timed[]> {
  const warm: Warm[] = []
  for (const bench of benches) warm.push(await warmedUp(bench))
  for (let round = 0; round < ROUNDS; round++) {
    for (const { bench, runs, rounds } of warm) {
      const micros = await cpuOf(() => repeat(bench.run, runs))
      rounds.push(micros / (runs * (bench.operations ?? 1)))
    }
  }
  return warm.map(timed)
}

/** With how many runs there are in a round, and what each round took for one operation. */
interface Warm {
  readonly bench: Bench
  readonly runs: number
  readonly rounds: number[]
}

async function warmedUp(bench: Bench): Promise<Warm> {
  const { run, runs } = bench
  return { bench, runs: runs === undefined ? await warmUp(run) : await repeatInParts(run, runs), rounds: [] }
}

function timed({ bench: { name }, rounds }: Warm): Timed {
  const sorted = rounds.toSorted((a, b) => a - b)
  const [lower = 0, upper = 0] = [sorted[ROUNDS >> 2], sorted[ROUNDS - 1 - (ROUNDS >> 2)]]
  return { name, micros: median(rounds), lower, upper }
}

/** How often it fits into a round. */
async function warmUp(run: () => unknown): Promise<number> {
  let runs = 1
  let spentMs = 0
  for (let total = 0; total < WARM_UP_MS || spentMs < ROUND_MS / 2; total += spentMs) {
    const wanted = spentMs === 0 ? 2 : Math.min(2, Math.max(1, ROUND_MS / spentMs))
    runs = Math.ceil(runs * wanted)
    spentMs = Math.max((await cpuOf(() => repeat(run, runs))) / 1000, 0.01)
  }
  return Math.max(1, Math.round((runs * ROUND_MS) / spentMs))
}

/** In parts as long as the rounds to come, so that timers that are due run in between. */
async function repeatInParts(run: () => unknown, runs: { readonly warmUp: number; readonly round: number }) {
  for (let done = 0; done < runs.warmUp; done += runs.round) await cpuOf(() => repeat(run, runs.round))
  return runs.round
}

async function cpuOf(work: () => void): Promise<number> {
  const before = process.cpuUsage()
  work()
  await sleep(1) // timers that are due belong to it
  const { user, system } = process.cpuUsage(before)
  return user + system
}

function repeat(run: () => unknown, times: number): void {
  for (let i = 0; i < times; i++) kept.last = run()
}
