import { config, weightsConfig, type Config } from '@siplb/contracts'
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

/** What the shadow of a pool goes by, where it has one: the settings of the pool, and laid over them what is to be otherwise. */
export function shadowSettingsOf(given: Config): ReadonlyMap<string, Settings> {
  return new Map(
    [...settingsOf(given)].flatMap(([id, live]) => {
      const { shadow } = given.pools[id] ?? {}
      if (shadow === undefined) return []
      const { policy = live.policy, strict = live.strict } = shadow
      const weights = weightsConfig.parse({ ...live.weights, ...shadow.weights })
      return [[id, { ...live, weights, policy, strict }]]
    }),
  )
}
