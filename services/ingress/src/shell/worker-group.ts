import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Component,
  Counter,
  Gauge,
  type Logger,
  type MetricsJson,
  type Readiness,
  type Registry,
} from '@siplb/runtime'
import type { FromWorker, WorkerMessage } from './worker-messages.ts'
import { WorkerProcess } from './worker-process.ts'

export interface WorkerGroupOptions {
  readonly count: number
  readonly script: string
  readonly argv: readonly string[]
  readonly envOf: (worker: number) => NodeJS.ProcessEnv
  readonly registry: Registry
  readonly log: Logger
}

/** Who does not give his figures within this time is left out of the sum. */
const MEASURE_MS = 1000

/** The workers that share the listening ports, seen from their parent: keeps them alive, and passes on what they say to each other. */
export class WorkerGroup implements Component {
  readonly name = 'workers'
  readonly #workers: readonly WorkerProcess[]
  readonly #registry: Registry
  readonly #measuring = new Map<number, (metrics: MetricsJson) => void>()
  #lastMeasure = 0
  #isEnding = false

  constructor({ count, script, argv, envOf, registry, log }: WorkerGroupOptions) {
    this.#registry = registry
    this.#workers = Array.from({ length: count }, (_, worker) => {
      const onMessage = (message: FromWorker) => this.#hear(worker, message)
      const onChange = () => this.#regrouped()
      return new WorkerProcess({ worker, script, argv, env: envOf(worker), log, onMessage, onChange })
    })
    this.#createMetrics()
  }

  async start(): Promise<void> {
    process.on('SIGHUP', this.#reload)
    await Promise.all(this.#workers.map((worker) => worker.start()))
  }

  async drain(): Promise<void> {
    this.#isEnding = true
    await Promise.all(this.#workers.map((worker) => worker.end('SIGTERM')))
  }

  async stop(): Promise<void> {
    this.#isEnding = true
    process.off('SIGHUP', this.#reload)
    await Promise.all(this.#workers.map((worker) => worker.end('SIGKILL')))
  }

  /** Able to serve when each of them is. */
  readiness(): Readiness {
    const workers = this.#workers.map(({ status, pid }) => ({
      state: status?.state ?? 'gone',
      pid,
      ...status?.details,
    }))
    return { isReady: !this.#isEnding && this.#workers.every(({ isReady }) => isReady), details: { workers } }
  }

  /** Of all, and of this process. */
  async metrics(): Promise<MetricsJson[]> {
    const own = this.#registry.getMetricsAsJSON()
    const theirs = this.#workers.map((worker) => this.#measure(worker))
    return [await own, ...(await Promise.all(theirs)).flatMap((one) => (one === undefined ? [] : [one]))]
  }

  readonly #reload = (): void => {
    for (const worker of this.#workers) worker.signal('SIGHUP')
  }

  #hear(from: number, message: FromWorker): void {
    if (message.kind === 'pass') this.#pass(from, message.to, message.message)
    else if (message.kind === 'measured') this.#measuring.get(message.id)?.(message.metrics)
  }

  #pass(from: number, to: number | 'others', message: WorkerMessage): void {
    const others = to === 'others' ? this.#workers.keys() : [to]
    for (const one of others) {
      if (one === from || this.#workers[one]?.send({ kind: 'passed', from, message }) !== false) continue
      // Who is gone has no transactions; only the one that asks is told.
      if (message.kind === 'offer') this.#decline(from, one, message.id)
    }
  }

  #decline(asker: number, from: number, id: number): void {
    this.#workers[asker]?.send({ kind: 'passed', from, message: { kind: 'offer-answer', id, isTaken: false } })
  }

  #regrouped(): void {
    for (const worker of this.#workers) worker.send({ kind: 'regrouped' })
  }

  async #measure(worker: WorkerProcess): Promise<MetricsJson | undefined> {
    this.#lastMeasure += 1
    const id = this.#lastMeasure
    const measured = new Promise<MetricsJson>((resolve) => this.#measuring.set(id, resolve))
    if (!worker.send({ kind: 'measure', id })) return undefined
    try {
      return await Promise.race([measured, sleep(MEASURE_MS, undefined, { ref: false })])
    } finally {
      this.#measuring.delete(id)
    }
  }

  #createMetrics(): void {
    const workers = this.#workers
    const registers = [this.#registry]
    new Gauge({
      name: 'siplb_ingress_workers',
      help: 'Workers that are ready.',
      registers,
      collect() {
        this.set(workers.filter(({ isReady }) => isReady).length)
      },
    })
    new Counter({
      name: 'siplb_ingress_worker_restarts_total',
      help: 'Workers that died and were started again.',
      registers,
      collect() {
        this.reset()
        this.inc(workers.reduce((sum, { restarts }) => sum + restarts, 0))
      },
    })
  }
}
