import { startChild, type Child, type ChildOptions } from './child.ts'

/**
 * As the Dockerfile has them. What was made last is collected 8 MB at a time, within some milliseconds: the 32 MB that V8 lets it grow to under
 * load are 50 MB more memory in each process, and make calls wait for 10 to 30 ms. One thread compiles and collects beside the one that carries
 * calls: of four, as V8 has by default, three take its processor away where there are few.
 *
 * V8 makes what comes from a place whose objects once lived on among the old ones from the start. Under load those of a message live on
 * just when a collection falls into its call, and half of all garbage was then left to the large collections: 150 MB. And the old may grow to
 * twice what lives, not thrice.
 */
const flags = [
  '--max-semi-space-size=8',
  '--v8-pool-size=1',
  '--no-allocation-site-pretenuring',
  '--heap-growing-percent=100',
]

/** One arena for all threads: each gets its own by default, and what the compiler once took in one stays there (mallopt(3)): 60 MB and more. */
const memory = { MALLOC_ARENA_MAX: '1' }

/** Runs a service or program of ours, by this Node. */
export function startNode(program: string, args: readonly string[], options: ChildOptions): Child {
  const env = { ...memory, ...(options.env ?? process.env) }
  return startChild(process.execPath, [...flags, program, ...args], { ...options, env })
}
