import { BusError, weightTables, type Bus } from '@siplb/bus'
import { weightsQuestion, type WeightTable } from '@siplb/contracts'
import { nearest } from '@siplb/runtime'
import { ask, textOf } from './bus.ts'
import { failure, misuse, type CommandError } from './errors.ts'

/** The pools that a weigher has ever written a table of, sorted: one that left the configuration may be among them. */
async function listPools(bus: Bus): Promise<string[]> {
  try {
    const entries = await weightTables(bus, 'user').entries()
    return entries.map(({ value }) => value.pool).toSorted()
  } catch (error) {
    if (/stream not found|bucket not found/i.test(textOf(error))) return []
    throw failure(`the list of pools cannot be read (${textOf(error)}): name one by --pool`, error)
  }
}

/** The pool that a command speaks of: the one named, or else the only one. */
export async function poolOf(bus: Bus, named: string | undefined): Promise<string> {
  if (named !== undefined) return named
  const listed = await listPools(bus)
  const [only, ...others] = listed.length > 1 ? await knownOf(bus, listed) : listed
  if (only === undefined) throw noTables()
  if (others.length > 0) throw misuse(`there are several pools, say which by --pool: ${[only, ...others].join(', ')}`)
  return only
}

/** The tables of the pool named, or of all. */
export async function readTables(bus: Bus, named: string | undefined): Promise<WeightTable[]> {
  const pools = named === undefined ? await listPools(bus) : [named]
  if (pools.length === 0) throw noTables()
  const tables = await Promise.all(pools.map((pool) => readTable(bus, pool)))
  const found = tables.filter((table) => table !== undefined)
  if (named !== undefined && found.length === 0) throw await unknownPool(bus, named)
  return found
}

/** Of the pools listed those that the weigher still knows. */
async function knownOf(bus: Bus, listed: readonly string[]): Promise<string[]> {
  const tables = await Promise.all(listed.map((pool) => readTable(bus, pool)))
  return tables.flatMap((table) => table?.pool ?? [])
}

/** Undefined for a pool that the weigher does not know. */
async function readTable(bus: Bus, pool: string): Promise<WeightTable | undefined> {
  try {
    const table = await ask(bus, weightsQuestion, { pool }, {})
    return table.parts === undefined ? table : (await weightTables(bus, 'user').get(pool))?.value
  } catch (error) {
    if (error instanceof BusError && error.status === 404) return undefined
    throw refusal(error)
  }
}

/** Why a command was refused with 404: says what there is. */
export async function notThere(bus: Bus, pool: string, proxy: string, error: BusError): Promise<CommandError> {
  const table = await readTable(bus, pool)
  if (table === undefined) return unknownPool(bus, pool)
  const ids = table.proxies.map(({ id }) => id)
  if (ids.includes(proxy)) return failure(error.message, error)
  return failure(`pool ${pool} has no proxy ${proxy}${meant(proxy, ids)}; it has ${ids.join(', ') || 'none yet'}`)
}

/** An error with the weigher's own words. */
export function refusal(error: unknown): unknown {
  return error instanceof BusError && error.code === 'refused'
    ? failure(`the weigher refuses: ${error.message}`, error)
    : error
}

async function unknownPool(bus: Bus, pool: string): Promise<CommandError> {
  const listed = await listPools(bus)
  const pools = await knownOf(
    bus,
    listed.filter((other) => other !== pool),
  )
  return failure(`there is no pool ${pool}${meant(pool, pools)}; there is ${pools.join(', ') || 'none yet'}`)
}

function meant(word: string, candidates: readonly string[]): string {
  const near = nearest(word, candidates)
  return near === undefined ? '' : ` (did you mean ${near}?)`
}

function noTables(): CommandError {
  return failure('no weigher has written a table of weights yet: start one, with pools in its configuration')
}
