import { createNatsBus, withChanges } from '@siplb/bus'
import {
  compareRevisions,
  proxyStateChanged,
  tableSnapshot,
  trafficSeen,
  weightsChanged,
  type NatsConfig,
  type WeightTable,
} from '@siplb/contracts'
import { newInstance, nowMs, version } from '@siplb/runtime'
import { RecentRequests } from './recent-requests.ts'
import { changeLines, nameOf, type Standing } from './status.ts'

export interface BusNews {
  standing(): Pick<Standing, 'tables' | 'requestsOf'>
  close(): Promise<void>
}

/** Listens to what the services say to each other, as any other program may. */
export function listenToBus(config: NatsConfig, say: (text: string) => void): BusNews {
  const silent = { info: () => {}, warn: () => {} }
  const uncounted = { published: () => {}, unpublished: () => {}, received: () => {}, dropped: () => {} }
  const options = { config, service: 'start', instance: newInstance(), version, isService: false }
  const bus = createNatsBus({ ...options, log: silent, observer: uncounted })
  const tables = new Map<string, WeightTable>()
  const recent = new RecentRequests()
  const keep = (table: WeightTable) => {
    const known = tables.get(table.pool)
    if (known === undefined || compareRevisions(known, table) <= 0) tables.set(table.pool, withChanges(known, table))
  }
  bus.subscribe(tableSnapshot, { pool: '*' }, ({ data }) => keep(data))
  bus.subscribe(weightsChanged, { pool: '*' }, ({ data }) => {
    keep(data)
    for (const line of changeLines(data)) say(line)
  })
  bus.subscribe(proxyStateChanged, { pool: '*', proxy: '*' }, ({ data }) => {
    say(`state of ${nameOf(data.pool, data.proxy)} ${data.prevState} → ${data.state}: ${data.cause}`)
  })
  bus.subscribe(trafficSeen, { pool: '*' }, ({ data, params }) => {
    for (const { proxy, requests } of data.proxies) recent.add(params['pool'] ?? '', proxy, requests, nowMs())
  })
  return {
    standing: () => ({
      tables: [...tables.values()].toSorted((a, b) => a.pool.localeCompare(b.pool)),
      requestsOf: (pool, proxy) => recent.of(pool, proxy, nowMs()),
    }),
    close: () => bus.close(),
  }
}
