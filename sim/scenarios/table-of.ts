import { config, type Policy, type WeightTable } from '@siplb/contracts'
import { tableFromConfig } from '@siplb/routing'

/** The table of a pool of proxies px1, px2 … with these weights. */
export function tableOf(weights: readonly number[], policy: Policy): WeightTable {
  const proxies = weights.map((weight, i) => ({ id: `px${i + 1}`, uri: `sip:px${i + 1}.example.com`, weight }))
  const { pools } = config.parse({ pools: { default: { policy, proxies } } })
  const { default: pool } = pools
  if (pool === undefined) throw new Error('the pool that was configured is not there')
  return tableFromConfig('default', pool)
}
