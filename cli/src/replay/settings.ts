import { policies, weightsConfig, type Config, type Policy, type WeightTable } from '@siplb/contracts'
import { nearest } from '@siplb/runtime'
import type { Settings } from '@siplb/weighing'
import { configOf } from '../bus.ts'
import { valueOf, type Call } from '../command.ts'
import { misuse } from '../errors.ts'
import { overridesOf } from '../set-option.ts'

export interface Compared {
  readonly inForce: Settings
  /** Undefined when nothing is to be otherwise. */
  readonly changed: Settings | undefined
}

/** What is in force: by the configuration, and where that says nothing of the pool, by the table that was written last. */
function settingsInForce(config: Config, pool: string, table: WeightTable | undefined): Settings {
  const { policy = 'least-work', strict = false } = config.pools[pool] ?? table ?? {}
  return { weights: config.weights, probeIntervalMs: config.probe.intervalMs, policy, strict }
}

/** What this call wants otherwise; with no word of that the shadow of the pool, where the configuration has one. */
export function comparedSettings(call: Call, pool: string, table: WeightTable | undefined): Compared {
  const config = configOf(call)
  const inForce = settingsInForce(config, pool, table)
  const overrides = weightsOverridesOf(call)
  const policy = policyOf(valueOf(call, 'policy'))
  if (policy !== undefined || Object.keys(overrides).length > 0) {
    const { weights } = configOf(call, overrides)
    return { inForce, changed: { ...inForce, weights, policy: policy ?? inForce.policy } }
  }
  const { shadow } = config.pools[pool] ?? {}
  if (shadow === undefined) return { inForce, changed: undefined }
  const weights = weightsConfig.parse({ ...inForce.weights, ...shadow.weights })
  return {
    inForce,
    changed: { ...inForce, weights, policy: shadow.policy ?? inForce.policy, strict: shadow.strict ?? inForce.strict },
  }
}

/** In words: `two-choices, strict, weights.deadBand 0.05 → 0.1`. */
export function changeText({ inForce, changed }: Compared): string {
  if (changed === undefined) return 'nothing'
  const words: string[] = []
  if (changed.policy !== inForce.policy) words.push(`policy ${inForce.policy} → ${changed.policy}`)
  if (changed.strict !== inForce.strict) words.push(`strict ${inForce.strict} → ${changed.strict}`)
  const before = new Map<string, unknown>(Object.entries(inForce.weights))
  for (const [key, value] of Object.entries(changed.weights)) {
    if (before.get(key) !== value) words.push(`weights.${key} ${String(before.get(key))} → ${value}`)
  }
  return words.join(', ') || 'nothing'
}

function policyOf(text: string | undefined): Policy | undefined {
  const found = policies.find((one) => one === text)
  if (text === undefined || found !== undefined) return found
  const near = nearest(text, policies)
  const meant = near === undefined ? '' : ` (did you mean ${near}?)`
  throw misuse(`there is no policy "${text}"${meant}; there is ${policies.join(', ')}`)
}

/** Only what weighing goes by: other settings of the past cannot be had otherwise. */
function weightsOverridesOf(call: Call): Record<string, string> {
  const overrides = overridesOf(call)
  const foreign = Object.keys(overrides).find((path) => !path.startsWith('weights.'))
  if (foreign === undefined) return overrides
  const near = nearest(foreign.split('.').at(-1) ?? '', weightsConfig.keyof().options)
  const meant = near === undefined ? '' : ` (did you mean weights.${near}?)`
  throw misuse(`a replay can set keys of weights only, such as --set weights.deadBand=0.1, not "${foreign}"${meant}`)
}
