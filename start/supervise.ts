import { setTimeout as sleep } from 'node:timers/promises'
import type { Exit } from '@siplb/children'

export interface Running {
  readonly exited: Promise<Exit>
  kill(signal: NodeJS.Signals): void
}

export interface SuperviseOptions {
  readonly name: string
  /** Resolves when it serves; rejects when it does not come up. */
  readonly launch: () => Promise<Running>
  /** How long it may take to end by itself. */
  readonly stopMs: number
  readonly say: (text: string) => void
}

export interface Supervised {
  readonly name: string
  stop(): Promise<void>
  kill(): void
  /** Passed on to what runs now; nothing happens while it is being started again. */
  signal(signal: NodeJS.Signals): void
}

const FIRST_DELAY_MS = 500
const LONGEST_DELAY_MS = 10_000
const STEADY_MS = 30_000

/** Doubles with each end in a row. `failures`: how many there were before this one. */
export function restartDelayMs(failures: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** failures, LONGEST_DELAY_MS)
}

/** Starts it now, which may fail; from then on starts it again whenever it ends, until it is stopped. */
export async function supervise({ name, launch, stopMs, say }: SuperviseOptions): Promise<Supervised> {
  const stopping = new AbortController()
  let running: Running | undefined = await launch()

  const keep = async () => {
    for (let failures = 0; !stopping.signal.aborted; failures++) {
      const since = performance.now()
      const cause = running === undefined ? 'did not come up' : `ended (${await running.exited})`
      if (stopping.signal.aborted) return
      if (performance.now() - since > STEADY_MS) failures = 0
      const delayMs = restartDelayMs(failures)
      say(`${name} ${cause}; starting it again in ${delayMs / 1000} s`)
      await sleep(delayMs, undefined, { signal: stopping.signal })
      running = await launch().catch((error: unknown) => {
        say(error instanceof Error ? error.message : `${name} did not start`)
        return undefined
      })
      if (stopping.signal.aborted) running?.kill('SIGKILL')
      else if (running !== undefined) say(`${name} is back`)
    }
  }
  // Only the sleep rejects, when it is aborted.
  void keep().catch(() => {})
  return {
    name,
    async stop() {
      stopping.abort()
      running?.kill('SIGTERM')
      const overdue = setTimeout(() => running?.kill('SIGKILL'), stopMs)
      await running?.exited
      clearTimeout(overdue)
    },
    kill() {
      stopping.abort()
      running?.kill('SIGKILL')
    },
    signal(signal) {
      running?.kill(signal)
    },
  }
}
