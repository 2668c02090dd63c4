import type { Component, Registry } from '@siplb/runtime'
import type { FromWorker, ToWorker, WorkerMessage, WorkerStatus } from './worker-messages.ts'
import type { WorkerChannel } from './siblings.ts'

const TELL_MS = 250

export interface WorkerLinkOptions {
  readonly count: number
  readonly registry: Registry
  readonly status: () => WorkerStatus
}

/** A worker's end of the channel to its parent: tells how it is, gives its figures, and passes on what siblings say. */
export class WorkerLink implements WorkerChannel, Component {
  readonly name = 'parent'
  readonly count: number
  readonly #options: WorkerLinkOptions
  #ticker: NodeJS.Timeout | undefined
  #onMessage: (from: number, message: WorkerMessage) => void = () => {}
  #onRegrouped: () => void = () => {}

  constructor(options: WorkerLinkOptions) {
    this.count = options.count
    this.#options = options
    process.on('message', (message: ToWorker) => this.#hear(message))
    // Nobody would end us, nor answer for us: our calls come to their end, and we follow.
    process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'))
  }

  send(to: number | 'others', message: WorkerMessage): void {
    tell({ kind: 'pass', to, message })
  }

  onMessage(listener: (from: number, message: WorkerMessage) => void): void {
    this.#onMessage = listener
  }

  onRegrouped(listener: () => void): void {
    this.#onRegrouped = listener
  }

  start(): void {
    this.#ticker = setInterval(() => this.tellStatus(), TELL_MS)
  }

  tellStatus(): void {
    tell({ kind: 'status', status: this.#options.status() })
  }

  stop(): void {
    clearInterval(this.#ticker)
  }

  #hear(message: ToWorker): void {
    switch (message.kind) {
      case 'passed':
        return this.#onMessage(message.from, message.message)
      case 'regrouped':
        return this.#onRegrouped()
      case 'measure':
        void this.#options.registry
          .getMetricsAsJSON()
          .then((metrics) => tell({ kind: 'measured', id: message.id, metrics }))
    }
  }
}

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message)
}
