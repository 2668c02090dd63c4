import { parentPort, workerData } from 'node:worker_threads'
import { z } from 'zod'
import { scenarios } from './scenarios/all.ts'

/** One scenario in a thread of its own. */
const { name, seed } = z.object({ name: z.string(), seed: z.int() }).parse(workerData)
const scenario = scenarios.find((one) => one.name === name)
if (scenario === undefined) throw new Error(`no scenario ${name}`)
parentPort?.postMessage(scenario.run(seed))
