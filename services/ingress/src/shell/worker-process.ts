import { fork, type ChildProcess } from 'node:child_process'
import type { Logger } from '@siplb/runtime'
import type { FromWorker, ToWorker, WorkerStatus } from './worker-messages.ts'

export interface WorkerProcessOptions {
  readonly worker: number
  readonly script: string
  readonly argv: readonly string[]
  readonly env: NodeJS.ProcessEnv
  readonly log: Logger
  readonly onMessage: (message: FromWorker) => void
  /** It came, or went. */
  readonly onChange: () => void
}

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 10_000
/** Who lives for so long is not in the way of itself. */
const SOUND_MS = 30_000

/** One worker, started again whenever it dies: at once the first time, later and later while it dies soon. */
export class WorkerProcess {
  readonly #options: WorkerProcessOptions
  #child: ChildProcess | undefined
  #waitMs = FIRST_WAIT_MS
  #timer: NodeJS.Timeout | undefined
  #isEnding = false
  #gone: Promise<void> = Promise.resolve()
  #first = Promise.withResolvers<void>()
  status: WorkerStatus | undefined
  restarts = 0

  constructor(options: WorkerProcessOptions) {
    this.#options = options
    this.#first.promise.catch(() => {}) // whoever starts it waits for it
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  get isReady(): boolean {
    return this.status?.state === 'ready'
  }

  /** Resolves when it is ready; rejects when it ends before it ever was. */
  start(): Promise<void> {
    this.#spawn()
    return this.#first.promise
  }

  send(message: ToWorker): boolean {
    return this.#child?.connected === true && this.#child.send(message, () => {})
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  /** Resolves when it is gone, for good. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#isEnding = true
    clearTimeout(this.#timer)
    this.signal(signal)
    return this.#gone
  }

  #spawn(): void {
    const { worker, script, argv, env } = this.#options
    const bornAt = performance.now()
    // A session of its own: Ctrl-C in a terminal reaches the parent alone, which then ends its workers in order.
    const child = fork(script, [...argv], {
      env,
      serialization: 'advanced',
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#child = child
    this.#options.log.info({ worker, workerPid: child.pid }, 'worker started')
    child.on('message', (message: FromWorker) => this.#hear(message))
    this.#gone = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        resolve()
        this.#ended(signal ?? code ?? 1, performance.now() - bornAt)
      })
    })
    child.on('error', (error) => this.#options.log.error({ err: error, worker }, 'worker failed'))
  }

  #hear(message: FromWorker): void {
    if (message.kind !== 'status') return this.#options.onMessage(message)
    const wasReady = this.isReady
    this.status = message.status
    if (wasReady || !this.isReady) return
    this.#first.resolve()
    this.#options.onChange()
  }

  #ended(exit: number | string, livedMs: number): void {
    const { worker, log, onChange } = this.#options
    const wasEverReady = this.status !== undefined || this.restarts > 0
    this.#child = undefined
    this.status = undefined
    this.#first.reject(new Error(`worker ${worker} ended with ${exit} before it was ready`))
    onChange()
    if (this.#isEnding || !wasEverReady) return
    if (livedMs >= SOUND_MS) this.#waitMs = FIRST_WAIT_MS
    log.error({ worker, exit, againInMs: this.#waitMs }, 'worker died, starting it again')
    this.restarts += 1
    this.#timer = setTimeout(() => this.#spawn(), this.#waitMs)
    this.#waitMs = Math.min(this.#waitMs * 2, LONGEST_WAIT_MS)
  }
}
