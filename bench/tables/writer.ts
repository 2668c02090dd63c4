import { createNatsBus, weightTables, type Bus } from '@siplb/bus'
import { natsConfig, weightsChanged, type WeightRow, type WeightTable } from '@siplb/contracts'
import { tableEvents } from '../../services/weigher/src/domain/table-events.ts'

/** Writes tables and tells of them of as many proxies as it is told, as a weigher does. */
export interface TableWriter {
  /** @returns the `seq` of the table */
  write(count: number): Promise<number>
  close(): Promise<void>
}

export async function connectWriter(nats: string): Promise<TableWriter> {
  const bus = createNatsBus({
    config: natsConfig.parse({ servers: [nats] }),
    ...{ service: 'weigher', instance: 'weigher1', version: '0', isService: false, log: silent },
    observer: { published: nothing, unpublished: nothing, received: nothing, dropped: nothing },
  })
  await connected(bus)
  let seq = 0
  return {
    async write(count) {
      seq += 1
      const table = tableOf(count, seq)
      await weightTables(bus, 'owner').put('default', table)
      for (const event of tableEvents(table, undefined)) bus.publish(weightsChanged, { pool: table.pool }, event)
      return seq
    },
    close: () => bus.close(),
  }
}

const nothing = (): void => {}
const silent = { info: nothing, warn: nothing }

const connected = (bus: Bus): Promise<void> =>
  new Promise((resolve) => void bus.onConnection((isConnected) => isConnected && resolve()))

function tableOf(count: number, seq: number): WeightTable {
  const head = { pool: 'default', epoch: 1, seq, prevSeq: seq - 1, writer: 'weigher1', policy: 'two-choices' } as const
  return {
    ...head,
    strict: false,
    panic: false,
    costs: {},
    proxies: Array.from({ length: count }, (_, i) => rowOf(i, seq)),
  }
}

const rowOf = (i: number, seq: number): WeightRow => ({
  ...{ id: `px${i}`, uri: `sip:127.1.${i >> 8}.${i & 255}:5080`, tier: 1, baseWeight: 100, weight: (i + seq) % 100 },
  ...{ prevWeight: 100, state: 'up', restricted: false, reason: `load 0.${i % 100}, target 0.3` },
  signals: { responseTimeMs: 4.25, load: 0.5, requestsPerSecond: 12.5, inFlight: 2, dialogs: 30 },
})
