import { config, type Config } from '@siplb/contracts'
import type { Settings } from '@siplb/weighing'

/** The weigher takes `weights`, `probe.intervalMs`, `nats`, `http`, `log`, and of `pools` all but whom they match. */
export const weigherConfig = config

export const defaultHttpPort = 9103

/** What the weighing of each pool goes by. */
export function settingsOf({ weights, probe, pools }: Config): ReadonlyMap<string, Settings> {
  return new Map(
    Object.entries(pools).map(([id, { policy, strict }]) => [
      id,
      { weights, probeIntervalMs: probe.intervalMs, policy, strict },
    ]),
  )
}
