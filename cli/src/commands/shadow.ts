import type { Bus } from '@siplb/bus'
import { weightsShadowed, type WeightTable } from '@siplb/contracts'
import { valueOf, type Call } from '../command.ts'
import { failure } from '../errors.ts'
import { readTables } from '../pools.ts'
import { besideText, comparedRows, type Beside } from '../shadow-text.ts'

/** A shadow is repeated every 5 s (`weights.snapshotMs`); it is not stored, so that one has to wait for its word. */
const WAIT_MS = 6000
const REMARK_MS = 1000

/** Live tables, and beside them what the shadows of their pools last said. */
export async function printShadows(call: Call, bus: Bus): Promise<void> {
  const pool = valueOf(call, 'pool')
  const wanted = (await readTables(bus, pool)).map((table) => table.pool)
  const heard = new Map<string, WeightTable>()
  const all = Promise.withResolvers<void>()
  const listening = bus.subscribe(weightsShadowed, { pool: pool ?? '*' }, ({ data }) => {
    heard.set(data.pool, data)
    if (wanted.every((id) => heard.has(id))) all.resolve()
  })
  await inTime(call, all.promise)
  listening.stop()
  // Asked again, so that both are of the same moment.
  const tables = await readTables(bus, pool)
  if (heard.size === 0) throw noShadow(wanted)
  print(
    call,
    tables.map((live) => ({ live, shadow: heard.get(live.pool) })),
  )
}

function print(call: Call, pools: readonly Beside[]): void {
  if (call.output === 'table') return call.print(pools.map(besideText).join('\n\n'))
  const shown = pools.map(({ live, shadow }) => ({
    pool: live.pool,
    proxies: comparedRows({ live, shadow }).proxies,
    live,
    shadow: shadow ?? null,
  }))
  call.print(JSON.stringify(shown, null, 2))
}

async function inTime(call: Call, heard: Promise<void>): Promise<void> {
  const over = Promise.withResolvers<void>()
  const remark = setTimeout(() => call.remark('waiting for the next word of the shadow'), REMARK_MS)
  const limit = setTimeout(() => over.resolve(), WAIT_MS)
  call.stopped.addEventListener('abort', () => over.resolve(), { once: true })
  await Promise.race([heard, over.promise])
  clearTimeout(remark)
  clearTimeout(limit)
}

function noShadow(pools: readonly string[]) {
  return failure(
    `no shadow of ${pools.join(', ')} was heard within ${WAIT_MS / 1000} s: give the pool one in the configuration (pools.${pools[0] ?? 'default'}.shadow)`,
  )
}
