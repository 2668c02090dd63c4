import { parentPort, workerData } from 'node:worker_threads'
import { work, type Stint } from './stint.ts'

/** One stint in a thread of its own. */
parentPort?.postMessage(work(workerData as Stint))
