import { parentPort } from 'node:worker_threads'
import { scenarios } from './scenarios/all.ts'

/** One scenario in a thread of its own. */
const [name, seed] = process.argv.slice(2)
const scenario = scenarios.find((one) => one.name === name)
if (scenario === undefined) throw new Error(`no scenario ${name}`)
parentPort?.postMessage(scenario.run(Number(seed)))
