import type { Component } from './component.ts'
import { nowMs } from './monotonic.ts'

/** Timers count whole milliseconds, from the beginning of a turn of the event loop: so much earlier than asked for they may come. */
const EARLY_MS = 2

export interface TickerOptions {
  readonly name: string
  readonly everyMs: number
  /** When there will be something to do, asked at the start and after each tick: it sleeps until then, for one interval at least. */
  readonly nextAt?: () => number
  /** `lateMs`: how much later than due this tick comes, which tells how busy the event loop is. */
  readonly run: (now: number, lateMs: number) => Promise<void> | void
  readonly onError: (error: unknown) => void
}

export interface Ticker extends Component {
  /** Something has come up meanwhile: a tick within one interval. */
  wake(): void
}

/** Does something at a steady rate, or only when there is something to do. A slow run makes the next one late, never two at once. */
export function createTicker({ name, everyMs, nextAt = () => 0, run, onError }: TickerOptions): Ticker {
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  let dueAt = 0
  const sleep = (now: number, until: number) => {
    dueAt = until
    timer = setTimeout(() => void tick(), until - now)
  }
  const plan = () => {
    const now = nowMs()
    sleep(now, Math.max(dueAt + everyMs, nextAt() + EARLY_MS, now))
  }
  const tick = async () => {
    try {
      const now = nowMs()
      await run(now, Math.max(0, now - dueAt))
    } catch (error) {
      onError(error)
    }
    if (!isStopped) plan()
  }
  return {
    name,
    start() {
      dueAt = nowMs()
      plan()
    },
    wake() {
      const now = nowMs()
      // While it runs, or is late, it need not be told: it asks afterwards.
      if (isStopped || dueAt <= now + everyMs) return
      clearTimeout(timer)
      sleep(now, now + everyMs)
    },
    stop() {
      isStopped = true
      clearTimeout(timer)
    },
  }
}
