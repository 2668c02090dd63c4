import { withChanges, type Bus } from '@siplb/bus'
import { compareRevisions, weightsChanged, type WeightTable } from '@siplb/contracts'
import { withBus } from '../bus.ts'
import { valueOf, type Call, type Command } from '../command.ts'
import { misuse } from '../errors.ts'
import { readTables } from '../pools.ts'
import { printShadows } from './shadow.ts'
import { untilStopped } from '../until-stopped.ts'
import { changesText, weightsText } from '../weights-text.ts'

export const weights: Command = {
  name: 'weights',
  args: [],
  options: ['pool', 'watch', 'shadow'],
  summary: 'the weight of each proxy now, and why',
  details: `share is a proxy's part of new requests as drawn by weight. Where the table has them, capacity is what was learnt that a proxy
can take, against what its base weight says (1); "asks for" is its overload control (RFC 7339, RFC 7415); "left" is what keeps a drain
from its end. With -o json it is the list of the tables as they are on the bus; with --watch it is one table per line, first those of
now and then each that follows. With --shadow each pool has its table
(live), that of its shadow, and both side by side (proxies); it waits up to 6 s for the shadow to be told.`,
  run: (call) => {
    const isShadow = valueOf(call, 'shadow') !== undefined
    const isWatch = valueOf(call, 'watch') !== undefined
    if (isShadow && isWatch) throw misuse('--shadow shows what is now: leave out --watch')
    return withBus(call, (bus) =>
      isShadow ? printShadows(call, bus) : isWatch ? watch(call, bus) : printOnce(call, bus),
    )
  },
}

async function printOnce(call: Call, bus: Bus): Promise<void> {
  const tables = await readTables(bus, valueOf(call, 'pool'))
  if (call.output === 'json') call.print(JSON.stringify(tables, null, 2))
  else call.print(tables.map(weightsText).join('\n\n'))
}

async function watch(call: Call, bus: Bus): Promise<void> {
  const pool = valueOf(call, 'pool')
  const known = new Map<string, WeightTable>()
  const early: WeightTable[] = []
  let isShown = false
  const take = (table: WeightTable) => {
    const before = known.get(table.pool)
    const difference = before === undefined ? 1 : compareRevisions(table, before)
    // Of a large table several events may tell one change.
    if (difference < 0 || (difference === 0 && table.parts === undefined)) return
    const after = withChanges(before, table)
    known.set(table.pool, after)
    if (call.output === 'json') call.print(JSON.stringify(table))
    else for (const line of changesText(before, after, new Date())) call.print(line)
  }
  // Heard before it is asked, so that no change falls between.
  bus.subscribe(weightsChanged, { pool: pool ?? '*' }, ({ data }) => {
    if (isShown) take(data)
    else early.push(data)
  })
  for (const table of await readTables(bus, pool)) {
    known.set(table.pool, table)
    call.print(call.output === 'json' ? JSON.stringify(table) : `${weightsText(table)}\n`)
  }
  isShown = true
  early.forEach(take)
  await untilStopped(call, bus)
}
