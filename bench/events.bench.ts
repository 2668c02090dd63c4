import {
  config,
  loadReported,
  responseTimeTaken,
  routeQuestion,
  sipReceived,
  type EventChannel,
  type ProxyRecord,
} from '@siplb/contracts'
import { buildSnapshot, createChooser } from '@siplb/routing'
import { Pool } from '@siplb/weighing'
import type { Endpoint } from '@siplb/sip/transport'
import { decodeEvents, encodeJson, parseJson } from '../libs/bus/src/codec.ts'
import { WrittenEvents } from '../libs/bus/src/written-events.ts'
import { MessagePublisher } from '../services/ingress/src/shell/message-publisher.ts'
import { drawAhead } from '../services/location/src/domain/choices-ahead.ts'
import { RecentIds } from '../services/weigher/src/domain/recent-ids.ts'
import type { Bench, Suite } from './bench.ts'
import { answerTo, inviteBytes, requestOf, responseOf, tableOf } from './samples.ts'

const EVENTS = 500
const PROXIES = 20
const source = '/siplb/prober/p1'

/** Events that are written into batches, of which the last ones are here. */
function written<T>(channel: EventChannel<T>) {
  const sent: { batches: readonly Uint8Array[] } = { batches: [] }
  const send = (batches: readonly Uint8Array[]) => ((sent.batches = batches), true)
  return { sent, events: new WrittenEvents(channel, { source, nextId: () => 'bench', send }) }
}

function encode<T>(channel: EventChannel<T>, data: readonly T[]): readonly Uint8Array[] {
  const { sent, events } = written(channel)
  for (const one of data) events.add(one)
  events.send()
  return sent.batches
}

const proxyOf = (i: number) => `px${i % PROXIES}`
const many = <T>(make: (i: number) => T) => Array.from({ length: EVENTS }, (_, i) => make(i))
const [invite, ok] = [requestOf(inviteBytes), responseOf(answerTo(inviteBytes, '200 OK'))]
const place: Endpoint = { transport: 'udp', address: '192.0.2.1', port: 5070 }
const proxy = { pool: 'default', proxy: 'px1' }
const received = written(sipReceived)
const publisher = new MessagePublisher({
  bus: { batch: () => received.events, isConnected: () => true },
  settings: { publish: 'messages', publishBytes: false },
  ...{ now: () => 0, onDropped: () => {}, onUnheard: () => {} },
})
const times = many((i) => responseTimeTaken.data.parse({ proxy: proxyOf(i), responseTimeMs: 10 + (i % 50) }))
const loads = many((i) => loadReported.data.parse({ proxy: proxyOf(i), load: (i % 100) / 100 }))
const [timeBatch, loadBatch] = [encode(responseTimeTaken, times), encode(loadReported, loads)].map(
  ([first = new Uint8Array()]) => first,
)

/** As many requests as responses, from what was read of them to what the bus sends. */
function publish(): readonly Uint8Array[] {
  for (let i = 0; i < EVENTS / 2; i++) {
    publisher.received(invite, place)
    publisher.received(ok, place, proxy)
  }
  void publisher.flush()
  return received.sent.batches
}

const messageBatch = publish()[0] ?? new Uint8Array()

/** What location answers to an ingress with 2,000 calls a second, for 50 ms of them. */
const drawn = drawAhead(buildSnapshot(tableOf(PROXIES, 'least-work')), createChooser(Math.random), 100, 1000)
const answer = encodeJson({ location: 'l-1', answers: [], ahead: drawn })

function readAnswer(): unknown {
  return (routeQuestion.quickReply ?? routeQuestion.reply).parse(parseJson(answer))
}

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
    { name: 'evt.sip.received written, one of 500', run: publish, operations: EVENTS },
    {
      name: 'evt.sip.received decoded, one of 500',
      run: () => decodeEvents(sipReceived, messageBatch),
      operations: EVENTS,
    },
    {
      name: 'choices ahead read from an answer, one of 100',
      run: readAnswer,
      operations: drawn.compact.indexes.length,
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
