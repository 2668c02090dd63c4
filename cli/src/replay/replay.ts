import type { ProxyRecord } from '@siplb/contracts'
import type { Settings } from '@siplb/weighing'
import { Failing } from './failing.ts'
import type { PoolFigures } from './figures.ts'
import { ReplayedPool } from './replayed-pool.ts'
import type { Signal } from './signals.ts'

/** Read before the time that was asked for, so that the figures begin warm: slow start and fault windows are over then. */
export const WARM_UP_MS = 60_000

export interface ReplayOptions {
  readonly pool: string
  readonly records: readonly ProxyRecord[]
  /** One for each way of weighing. */
  readonly settings: readonly Settings[]
  /** From when on it counts, in the time of the stream. */
  readonly since: number
  /** Hears of each signal. */
  readonly onSignal?: (signal: Signal, count: number) => void
}

export interface Replayed {
  readonly from: number
  readonly to: number
  /** Without those of the warm-up. */
  readonly events: number
  readonly requests: number
  readonly runs: readonly PoolFigures[]
}

/** Runs the signals through a pool for each way of weighing. Undefined when none of them is of the time that counts. */
export async function replay(signals: AsyncIterable<Signal>, options: ReplayOptions): Promise<Replayed | undefined> {
  const { pool, records, settings, since, onSignal } = options
  const failing = new Failing()
  const isFailing = (proxy: string) => failing.has(proxy)
  let pools: readonly ReplayedPool[] | undefined
  let from: number | undefined
  let now = Number.NEGATIVE_INFINITY
  let events = 0
  let requests = 0
  let count = 0
  for await (const heard of signals) {
    // The clock of a server may jump back; time does not.
    now = Math.max(now, heard.at)
    const signal = { ...heard, at: now }
    onSignal?.(signal, (count += 1))
    pools ??= settings.map((one) => new ReplayedPool({ pool, settings: one, records, isFailing, at: now }))
    if (from === undefined && now >= since) {
      from = now
      for (const one of pools) {
        one.advance(now)
        one.begin(now)
      }
    }
    failing.hear(signal)
    for (const one of pools) one.hear(signal)
    if (from === undefined) continue
    events += 1
    if (signal.kind === 'traffic') requests += signal.data.proxies.reduce((sum, one) => sum + one.requests, 0)
  }
  if (pools === undefined || from === undefined) return undefined
  return { from, to: now, events, requests, runs: pools.map((one) => one.end(now)) }
}
