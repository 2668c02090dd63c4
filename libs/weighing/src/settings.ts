import type { PoolConfig, WeightsConfig } from '@siplb/contracts'

/** What the weighing of a pool goes by. */
export interface Settings {
  readonly weights: WeightsConfig
  readonly probeIntervalMs: number
  readonly policy: PoolConfig['policy']
  readonly strict: boolean
}

/** A prober that said nothing for so long is taken for gone. */
export function staleMs({ probeIntervalMs }: Settings): number {
  return Math.max(5000, 3 * probeIntervalMs)
}
