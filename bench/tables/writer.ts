import { parentPort, workerData } from 'node:worker_threads'
import { createNatsBus, weightTables } from '@siplb/bus'
import { natsConfig, type WeightRow, type WeightTable } from '@siplb/contracts'

/** Writes a table of so many proxies whenever it is told to, as a weigher does; in a thread of its own, so that only reading is measured. */
const silent = { info: () => {}, warn: () => {} }
const bus = createNatsBus({
  config: natsConfig.parse({ servers: [String(workerData)] }),
  ...{ service: 'weigher', instance: 'weigher1', version: '0', isService: false, log: silent },
  observer: { published: () => {}, unpublished: () => {}, received: () => {}, dropped: () => {} },
})
let seq = 0

const rowOf = (i: number): WeightRow => ({
  ...{ id: `px${i}`, uri: `sip:127.1.${i >> 8}.${i & 255}:5080`, tier: 1, baseWeight: 100, weight: (i + seq) % 100 },
  ...{ prevWeight: 100, state: 'up', restricted: false, reason: `load 0.${i % 100}, target 0.3` },
  signals: { responseTimeMs: 4.25, load: 0.5, requestsPerSecond: 12.5, inFlight: 2, dialogs: 30 },
})

async function write(count: number): Promise<void> {
  seq += 1
  const head = { pool: 'default', epoch: 1, seq, prevSeq: seq - 1, writer: 'weigher1', policy: 'two-choices' } as const
  const proxies = Array.from({ length: count }, (_, i) => rowOf(i))
  const table: WeightTable = { ...head, strict: false, panic: false, costs: {}, proxies }
  await weightTables(bus, 'owner').put('default', table)
  parentPort?.postMessage(seq)
}

parentPort?.on('message', (count: unknown) => {
  if (count === 'end') void bus.close().then(() => parentPort?.close())
  else void write(Number(count))
})
const whenConnected = bus.onConnection((isConnected) => {
  if (isConnected) parentPort?.postMessage('ready')
})
process.on('exit', () => whenConnected.stop())
