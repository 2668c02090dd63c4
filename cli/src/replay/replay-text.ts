import { numberText, percentText, tableText, type Column } from '../table-text.ts'
import { isPickedByWork } from './expected-requests.ts'
import type { PoolFigures, ProxyFigures } from './figures.ts'
import type { Replayed } from './replay.ts'
import { changeText, type Compared } from './settings.ts'
import { durationText, instantText } from './span.ts'

/** A proxy by each way of weighing: as it was, and as it would have been. */
type Row = readonly ProxyFigures[]

const column = (title: string, text: (figures: ProxyFigures) => string): Column<Row> => ({
  title,
  align: 'right',
  text: (row) => both(row, text),
})

const columns: readonly Column<Row>[] = [
  { title: 'proxy', text: ([first]) => first?.id ?? '' },
  { title: 'base', align: 'right', text: ([first]) => numberText(first?.baseWeight ?? 0) },
  column('mean weight', ({ meanWeight }) => numberText(meanWeight)),
  column('lowest', ({ lowestWeight }) => numberText(lowestWeight)),
  column('under half', ({ belowHalfMs }) => durationText(belowHalfMs)),
  column('states', ({ stateChanges }) => String(stateChanges)),
  column('share', ({ share }) => percentText(share)),
  column('requests', ({ requests }) => String(Math.round(requests))),
  column('while failing', ({ requestsWhileFailing }) => String(Math.round(requestsWhileFailing))),
]

/** A replay for people. */
export function replayText(pool: string, replayed: Replayed, compared: Compared): string {
  const { from, to, events, requests, runs } = replayed
  const span = `${instantText(from)} to ${instantText(to).slice(11)} (${durationText(to - from)})`
  const rows = (runs[0]?.proxies ?? []).map(({ id }) =>
    runs.flatMap(({ proxies }) => proxies.find((one) => one.id === id) ?? []),
  )
  const failing = both(runs, (run) => String(Math.round(run.requestsWhileFailing)))
  const part = both(runs, (run) => percentText(run.requests === 0 ? 0 : run.requestsWhileFailing / run.requests))
  return [
    `pool ${pool}: ${span}, ${events} events, ${requests} requests`,
    `in force: ${describe(compared)}; changed: ${changeText(compared)}`,
    tableText(columns, rows),
    `tables said: ${both(runs, ({ tables }) => String(tables))}; changes of state: ${both(runs, changesOf)}; requests to failing proxies: ${failing} (${part})`,
    ...(isEstimated(compared)
      ? ['Where the pick goes by work, shares are estimated: siplb replay --help says how.']
      : []),
  ].join('\n')
}

function describe({ inForce: { policy, strict } }: Compared): string {
  return strict ? `${policy}, strict` : policy
}

function isEstimated({ inForce, changed }: Compared): boolean {
  return isPickedByWork(inForce) || (changed !== undefined && isPickedByWork(changed))
}

function changesOf({ proxies }: PoolFigures): string {
  return String(proxies.reduce((sum, { stateChanges }) => sum + stateChanges, 0))
}

/** One text where both say the same. */
function both<T>(of: readonly T[], text: (one: T) => string): string {
  return [...new Set(of.map(text))].join(' → ')
}
