import type { Component } from './component.ts'
import { nowMs } from './monotonic.ts'

export interface TickerOptions {
  readonly name: string
  readonly everyMs: number
  /** `lateMs`: how much later than due this tick comes, which tells how busy the event loop is. */
  readonly run: (now: number, lateMs: number) => Promise<void> | void
  readonly onError: (error: unknown) => void
}

/** Does something at a steady rate. A slow run makes the next one late, never two at once. */
export function createTicker({ name, everyMs, run, onError }: TickerOptions): Component {
  let timer: NodeJS.Timeout | undefined
  let isStopped = false
  let dueAt = 0
  const plan = () => {
    const now = nowMs()
    dueAt = Math.max(dueAt + everyMs, now)
    timer = setTimeout(() => void tick(), dueAt - now)
  }
  const tick = async () => {
    try {
      const now = nowMs()
      // Timers count whole milliseconds, so one may come a little before its time.
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
    stop() {
      isStopped = true
      clearTimeout(timer)
    },
  }
}
