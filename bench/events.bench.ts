import {
  config,
  loadReported,
  responseTimeTaken,
  sipReceived,
  type EventChannel,
  type ProxyRecord,
} from '@siplb/contracts'
import { Pool } from '@siplb/weighing'
import { decodeEvents, encodeEvent, toBatches } from '../libs/bus/src/codec.ts'
import { RecentIds } from '../services/weigher/src/domain/recent-ids.ts'
import type { Bench, Suite } from './bench.ts'

const EVENTS = 500
const PROXIES = 20
const source = '/siplb/prober/p1'
const time = '2026-01-01T00:00:00.000Z'

const encode = <T>(channel: EventChannel<T>, data: readonly T[]) =>
  toBatches(data.map((one, i) => encodeEvent(channel, one, { source, id: `1.${i}`, time })))

const proxyOf = (i: number) => `px${i % PROXIES}`
const many = <T>(make: (i: number) => T) => Array.from({ length: EVENTS }, (_, i) => make(i))
const messages = many((i) => ({
  ...({ kind: 'request', method: 'INVITE', callId: `${i}.bench@example.com`, from: 'sip:alice@example.com' } as const),
  ...({
    to: 'sip:bob@example.com',
    requestUri: 'sip:bob@example.com',
    source: '192.0.2.1:5070',
    transport: 'udp',
  } as const),
}))
const times = many((i) => responseTimeTaken.data.parse({ proxy: proxyOf(i), responseTimeMs: 10 + (i % 50) }))
const loads = many((i) => loadReported.data.parse({ proxy: proxyOf(i), load: (i % 100) / 100 }))
const [messageBatch, timeBatch, loadBatch] = [
  encode(sipReceived, messages),
  encode(responseTimeTaken, times),
  encode(loadReported, loads),
].map((batches) => batches[0] ?? new Uint8Array())

/** A batch as the weigher takes it: read, checked for repetition, folded into what is known of its proxies. */
function weighed<T>(
  name: string,
  channel: EventChannel<T>,
  batch: Uint8Array,
  fold: (pool: Pool, data: T, now: number) => void,
): Bench {
  const { weights } = config.parse({ pools: { default: { proxies: [{ id: 'px0', uri: 'sip:192.0.2.1' }] } } })
  const pool = new Pool({ weights, probeIntervalMs: 1000, policy: 'least-work', strict: false })
  for (let i = 0; i < PROXIES; i++) pool.put(recordOf(i), 0)
  const seen = new RecentIds()
  let now = 0
  let batches = 0
  const run = () => {
    now += 5 // 100,000 events a second
    batches += 1
    for (const { data, source: from, id } of decodeEvents(channel, batch).events) {
      if (seen.add(`${from} ${id}.${batches}`)) fold(pool, data, now)
    }
    if (batches % 50 === 0) pool.weigh(now) // the tick, each 250 ms
    return pool
  }
  return { name, run, operations: EVENTS }
}

function recordOf(i: number): ProxyRecord {
  return {
    ...{ pool: 'default', id: proxyOf(i), uri: `sip:192.0.2.1:${5060 + i}`, weight: 100, tier: 1 },
    ...{ origin: 'config', adminState: 'enabled', actor: 'configuration' },
  }
}

const timesName = 'weigher: a response-time event of a batch of 500'
const loadsName = 'weigher: a load event of a batch of 500'

export const suite: Suite = {
  benches: [
    { name: 'evt.sip.received encoded, one of 500', run: () => encode(sipReceived, messages), operations: EVENTS },
    {
      name: 'evt.sip.received decoded, one of 500',
      run: () => decodeEvents(sipReceived, messageBatch ?? new Uint8Array()),
      operations: EVENTS,
    },
    weighed(timesName, responseTimeTaken, timeBatch ?? new Uint8Array(), (pool, data, now) =>
      pool.probed(source, data, now),
    ),
    weighed(loadsName, loadReported, loadBatch ?? new Uint8Array(), (pool, data, now) => pool.loaded(data, now)),
  ],
  notes: (micros) =>
    [timesName, loadsName].flatMap((name) => {
      const each = micros.get(name)
      return each === undefined
        ? []
        : [`${name}: ${Math.round(1e6 / each).toLocaleString('en')} a second on one core (promised: 100,000)`]
    }),
}
