import type { WeightRow } from '@siplb/contracts'

export interface Tier {
  readonly rows: readonly WeightRow[]
}

// A tier is taken to have been planned with reserves: it carries all traffic until it has lost more than 2/7 of its weight.
const RESERVE = 1.4

/** The rows by tier, the lowest first. */
export function tiersOf(rows: readonly WeightRow[]): Tier[] {
  const byNumber = new Map<number, WeightRow[]>()
  for (const row of rows) {
    const tier = byNumber.get(row.tier)
    if (tier === undefined) byNumber.set(row.tier, [row])
    else tier.push(row)
  }
  return [...byNumber].sort(([a], [b]) => a - b).map(([, tierRows]) => ({ rows: tierRows }))
}

/** The tiers that take requests: each one joins when the effective weights of the one before it are under 1/1.4 of its base weights. */
export function activeTiers(tiers: readonly Tier[]): Tier[] {
  const last = tiers.findIndex(carriesAll)
  return last < 0 ? [...tiers] : tiers.slice(0, last + 1)
}

function carriesAll({ rows }: Tier): boolean {
  const effective = rows.reduce((sum, row) => sum + row.weight, 0)
  const base = rows.reduce((sum, row) => sum + row.baseWeight, 0)
  return effective > 0 && effective * RESERVE >= base
}
