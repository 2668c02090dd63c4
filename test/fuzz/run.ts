import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { Found, Report, Slowest, Stint } from './stint.ts'

/** Shares the cases among threads; each has chance of its own, so a seed gives the same cases for the same number of threads. */
export async function fuzz(stint: Stint, threads = availableParallelism()): Promise<Report> {
  const shares = Array.from({ length: threads }, (_, i) => ({
    ...stint,
    seed: stint.seed * 1_000 + i,
    cases: Math.ceil(stint.cases / threads),
  }))
  return together(await Promise.all(shares.map(runOne)))
}

function runOne(stint: Stint): Promise<Report> {
  const worker = new Worker(new URL('./stint-worker.ts', import.meta.url), { workerData: stint })
  return new Promise((resolve, reject) => {
    worker.once('message', (report: Report) => resolve(report))
    worker.once('error', reject)
    worker.once('exit', (code) => reject(new Error(`a thread ended with ${code} and had nothing to say`)))
  })
}

function together(reports: readonly Report[]): Report {
  const sum = (of: (report: Report) => number) => reports.reduce((total, report) => total + of(report), 0)
  return {
    cases: sum(({ cases }) => cases),
    streams: sum(({ streams }) => streams),
    kinds: {
      request: sum(({ kinds }) => kinds.request),
      response: sum(({ kinds }) => kinds.response),
      malformed: sum(({ kinds }) => kinds.malformed),
      'keep-alive': sum(({ kinds }) => kinds['keep-alive']),
    },
    slowestScan: slowest(reports.map(({ slowestScan }) => slowestScan)),
    slowestWay: slowest(reports.map(({ slowestWay }) => slowestWay)),
    found: [
      ...new Map(reports.flatMap(({ found }) => found).map((one): [string, Found] => [one.promise, one])).values(),
    ],
  }
}

function slowest(all: readonly Slowest[]): Slowest {
  return all.reduce((worst, one) => (one.ms > worst.ms ? one : worst))
}
