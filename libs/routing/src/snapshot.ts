import type { Candidate, Policy, PoolConfig, WeightRow, WeightTable } from '@siplb/contracts'
import type { Choices, Entry, Urn } from './choice/choice.ts'
import { createCumulativeUrn } from './choice/cumulative.ts'
import { hashOf } from './choice/hash.ts'
import { createAliasUrn } from './choice/weighted-random.ts'
import { activeTiers, tiersOf, type Tier } from './tiers.ts'

/** A weight table that is ready to choose from. It never changes: a new table makes a new one, which is swapped in. */
export interface Snapshot extends Choices {
  readonly pool: string
  readonly epoch: number
  readonly seq: number
  readonly policy: Policy
  /** Take the first drawn always. */
  readonly strict: boolean
  /** Work of a request by method, as learned; INVITE is 1. */
  readonly costs: Readonly<Record<string, number>>
  /** No proxy can take a new request. */
  readonly isEmpty: boolean
  /** The row of a proxy, whether or not it takes new requests. */
  find(proxy: string): WeightRow | undefined
}

/** Rows that are read in one step of `snapshotSteps`: a fraction of a millisecond. */
const ROWS_PER_STEP = 250

/** Does all the work of a choice that can be done before a request comes. */
export function buildSnapshot(table: WeightTable): Snapshot {
  const steps = snapshotSteps(table)
  let step = steps.next()
  while (step.done !== true) step = steps.next()
  return step.value
}

/** The same in steps of which none takes longer than a millisecond or two, for tables of thousands of rows. */
export function* snapshotSteps(table: WeightTable): Generator<undefined, Snapshot> {
  const { pool, epoch, seq, policy, strict, costs } = table
  const rows = new Map<string, WeightRow>()
  for (const row of table.proxies) {
    rows.set(row.id, row)
    if (rows.size % ROWS_PER_STEP === 0) yield
  }
  const tiers = tiersOf(table.proxies)
  yield
  const active = activeTiers(tiers)
  const entries: Entry[] = []
  for (const part of slicesOf(active)) {
    entries.push(...entriesOf([{ rows: part }]))
    yield
  }
  const urn = policy === 'weighted-random' ? createAliasUrn(entries) : createCumulativeUrn(entries)
  yield
  return {
    pool,
    epoch,
    seq,
    policy,
    strict,
    costs,
    urn,
    fallbackUrns: fallbackUrns(urn, tiers.slice(active.length)),
    isEmpty: entries.length === 0,
    find: (proxy) => rows.get(proxy),
  }
}

function* slicesOf(tiers: readonly Tier[]): Generator<readonly WeightRow[]> {
  for (const { rows } of tiers)
    for (let at = 0; at < rows.length; at += ROWS_PER_STEP) yield rows.slice(at, at + ROWS_PER_STEP)
}

// Who would fail over to a proxy that asked for less, or to a far tier, does so only when nothing else is left.
function fallbackUrns(urn: Urn, furtherTiers: readonly Tier[]): Urn[] {
  const groups = [urn.entries, ...furtherTiers.map((tier) => entriesOf([tier]))]
  const restricted = groups.flatMap((entries) => entries.filter((entry) => entry.isRestricted))
  if (restricted.length === 0) return [urn, ...groups.slice(1).map(createCumulativeUrn)]
  const free = groups.map((entries) => entries.filter((entry) => !entry.isRestricted))
  return [...free, restricted].map(createCumulativeUrn)
}

function entriesOf(tiers: readonly Tier[]): Entry[] {
  return tiers.flatMap(({ rows }) => rows.filter((row) => row.weight > 0).map(entryOf))
}

function entryOf({ id, uri, weight, baseWeight, restricted }: WeightRow): Entry {
  const candidate: Candidate = { proxy: id, uri, weight }
  const fallback = { ...candidate, fallback: true }
  return { candidate, fallback, weight, baseWeight, isRestricted: restricted, hash: hashOf(id) }
}

/** The table of a pool of which nothing was heard yet: base weights, older than every other. */
export function tableFromConfig(pool: string, config: PoolConfig): WeightTable {
  const { policy, strict, proxies } = config
  return {
    pool,
    epoch: 0,
    seq: 0,
    prevSeq: 0,
    writer: 'config',
    policy,
    strict,
    panic: false,
    costs: {},
    proxies: proxies.map(({ id, uri, tier, weight }) => ({
      id,
      uri,
      tier,
      baseWeight: weight,
      weight,
      prevWeight: weight,
      state: 'unknown',
      restricted: false,
      reason: 'as configured',
      signals: {},
    })),
  }
}
