import { join } from 'node:path'
import { startChild, type Child, type ChildOptions } from './child.ts'

/*
 * How our programs run; services/start.sh has the same for images.
 *
 * One thread compiles and collects beside the one that carries calls: of four, as V8 has by default, three take its processor away where
 * there are few.
 *
 * V8 makes what comes from a place whose objects once lived on among the old ones from the start. Under load those of a message live on
 * just when a collection falls into its call, and half of all garbage was then left to the large collections: 150 MB. And the old may grow to
 * twice what lives, not thrice.
 */
const flags = ['--v8-pool-size=1', '--no-allocation-site-pretenuring', '--heap-growing-percent=100']

/**
 * MB of what was made last, collected at once, within some milliseconds: the 32 MB that V8 lets it grow to under load are 50 MB more memory in
 * each process, and make calls wait for 10 to 30 ms. Only an ingress makes much.
 */
const youngMb = (program: string) => (program.endsWith(join('ingress', 'src', 'main.ts')) ? 8 : 4)

const env = {
  /** One arena for all threads: each gets its own by default, and what the compiler once took in one stays there (mallopt(3)): 60 MB and more. */
  MALLOC_ARENA_MAX: '1',
  /**
   * Memory that was freed is used again, not given back to be asked for anew: batches of events are 100 KB each, fifty times a second, and
   * each page of them would be made, and filled with zeros, each time. 16 MB at the most are kept so; what is larger than 1 MB is given back at
   * once.
   */
  MALLOC_TRIM_THRESHOLD_: String(16 * 1024 * 1024),
  MALLOC_MMAP_THRESHOLD_: String(1024 * 1024),
  MALLOC_TOP_PAD_: String(1024 * 1024),
  /** What was compiled before is found here, without the compiler of TypeScript in memory. */
  NODE_COMPILE_CACHE: join(import.meta.dirname, '..', '..', '..', 'node_modules', '.cache', 'node'),
}

/** Of Node, for a service or program of ours. */
export const flagsFor = (program: string): string[] => [...flags, `--max-semi-space-size=${youngMb(program)}`]

/** Runs a service or program of ours, by this Node. */
export function startNode(program: string, args: readonly string[], options: ChildOptions): Child {
  const all = [...flagsFor(program), program, ...args]
  return startChild(process.execPath, all, { ...options, env: { ...env, ...(options.env ?? process.env) } })
}
