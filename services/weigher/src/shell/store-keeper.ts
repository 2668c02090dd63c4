import type { Bus, Subscription } from '@siplb/bus'
import { streams } from '@siplb/contracts'
import type { Component, Logger } from '@siplb/runtime'
import { inTime } from './deadline.ts'

const RETRY_MS = 1000

/** Makes the streams of events and signals whenever the bus is (again) connected: a server that comes back may have lost them. */
export class StoreKeeper implements Component {
  readonly name = 'streams'
  readonly #bus: Bus
  readonly #log: Logger
  #connection: Subscription | undefined
  #timer: NodeJS.Timeout | undefined
  #problem = ''

  constructor(bus: Bus, log: Logger) {
    this.#bus = bus
    this.#log = log
  }

  start(): void {
    this.#connection = this.#bus.onConnection((isConnected) => {
      clearTimeout(this.#timer)
      if (isConnected) void this.#ensure()
    })
  }

  stop(): void {
    this.#connection?.stop()
    clearTimeout(this.#timer)
  }

  async #ensure(): Promise<void> {
    try {
      await inTime(this.#bus.ensureStream(streams.events))
      await inTime(this.#bus.ensureStream(streams.signals))
      this.#problem = ''
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error)
      if (problem !== this.#problem) this.#log.warn({ problem }, 'streams not there; tried again every second')
      this.#problem = problem
      clearTimeout(this.#timer)
      this.#timer = setTimeout(() => void this.#ensure(), RETRY_MS)
    }
  }
}
