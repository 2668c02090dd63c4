import { fileURLToPath } from 'node:url'
import type { Bus, Past, Span } from '@siplb/bus'
import { loadReported, responseTimeTaken, sipReceived, streamName, streams, type Load } from '@siplb/contracts'
import { startNats, waitFor, type TestNats } from '@siplb/testkit'
import { connect } from 'nats'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connectedBus, ownPrefix, settled } from './bus-under-test.ts'

let nats: TestNats

beforeAll(async () => {
  nats = await startNats()
})

afterAll(() => nats.stop())

const pool = { pool: 'blue' }
const loadOf = (proxy: string, load = 0.5): Load => ({ proxy, load, source: 'test', ageMs: 0, expiresInMs: 1000 })

async function read(bus: Bus, span: Span, params = pool): Promise<Past<Load>[]> {
  return Array.fromAsync(bus.history(loadReported, params, span))
}

async function withStream(options: Parameters<typeof connectedBus>[1] = {}) {
  const opened = await connectedBus(nats, { prefix: ownPrefix(), ...options })
  await opened.bus.ensureStream(streams.signals)
  return opened
}

it('tells the stored events of a channel in their order, with when they were stored, and ends', async () => {
  await using a = await withStream()
  const before = Date.now()
  a.bus.publish(loadReported, pool, loadOf('px1', 0.1))
  a.bus.publish(responseTimeTaken, pool, { proxy: 'px1', outcome: 'lost', attempt: 1, doubtful: false })
  a.bus.publish(loadReported, { pool: 'red' }, loadOf('px7'))
  a.bus.publish(loadReported, pool, [loadOf('px2', 0.2), loadOf('px3', 0.3)])
  await settled(a.bus)
  const events = await read(a.bus, { since: before - 1000 })
  expect(events.map(({ data, params, seq }) => [data.proxy, data.load, params['pool'], seq])).toEqual([
    ['px1', 0.1, 'blue', 1],
    ['px2', 0.2, 'blue', 4],
    ['px3', 0.3, 'blue', 4],
  ])
  expect(events[0]?.source).toBe('/siplb/tester/tester-1')
  for (const { at } of events) {
    expect(at).toBeGreaterThanOrEqual(before - 1)
    expect(at).toBeLessThanOrEqual(Date.now() + 1)
  }
})

it('begins at an instant, and stops at one', async () => {
  await using a = await withStream()
  for (const proxy of ['px1', 'px2', 'px3', 'px4']) {
    a.bus.publish(loadReported, pool, loadOf(proxy))
    await settled(a.bus)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const all = await read(a.bus, { since: 0 })
  const [, second, third] = all.map(({ at }) => at)
  const some = await read(a.bus, { since: Math.floor(second ?? 0), until: Math.ceil(third ?? 0) })
  expect(some.map(({ data }) => data.proxy)).toEqual(['px2', 'px3'])
  expect(await read(a.bus, { since: Date.now() + 60_000 })).toEqual([])
  expect(await read(a.bus, { since: 0 }, { pool: 'green' })).toEqual([])
})

it('reads more than is on its way at a time, while more comes', async () => {
  await using a = await withStream()
  for (let i = 0; i < 1000; i++) a.bus.publish(loadReported, pool, loadOf('px1', i / 1000))
  await settled(a.bus)
  const loads: number[] = []
  for await (const { data } of a.bus.history(loadReported, pool, { since: 0 })) {
    loads.push(data.load)
    if (loads.length % 10 === 0) a.bus.publish(loadReported, pool, loadOf('px1', 1))
  }
  expect(loads.slice(0, 1000)).toEqual(Array.from({ length: 1000 }, (_, i) => i / 1000))
})

it('leaves no reader behind, read to the end or not', async () => {
  await using a = await withStream()
  for (let i = 0; i < 100; i++) a.bus.publish(loadReported, pool, loadOf('px1'))
  await settled(a.bus)
  await read(a.bus, { since: 0 })
  for await (const _ of a.bus.history(loadReported, pool, { since: 0 })) break
  const user = await connect({ servers: nats.url })
  const { state } = await (await user.jetstreamManager()).streams.info(streamName(a.bus.prefix, streams.signals))
  expect(state).toMatchObject({ messages: 100, consumer_count: 0 })
  await user.close()
})

it('passes over what does not fit, and counts it', async () => {
  await using a = await withStream()
  const user = await connect({ servers: nats.url })
  user.publish(`${a.bus.prefix}.evt.load.blue`, 'no json')
  await user.flush()
  a.bus.publish(loadReported, pool, loadOf('px1'))
  await settled(a.bus)
  expect(await read(a.bus, { since: 0 })).toHaveLength(1)
  expect(a.counted('dropped evt.load.{pool} malformed')).toBe(1)
  await user.close()
})

it('says that there is no stream, that nothing keeps such events, and that the bus went', async () => {
  await using a = await connectedBus(nats, { prefix: 'bare.v1' })
  await expect(read(a.bus, { since: 0 })).rejects.toMatchObject({
    code: 'no-stream',
    message: 'there is no stream BARE_SIGNALS on this bus',
  })
  await expect(Array.fromAsync(a.bus.history(sipReceived, {}, { since: 0 }))).rejects.toThrow('no stream keeps')
  await using own = await startNats()
  await using b = await connectedBus(own)
  await b.bus.ensureStream(streams.signals)
  for (let i = 0; i < 500; i++) b.bus.publish(loadReported, pool, loadOf('px1'))
  await settled(b.bus)
  const reading = (async () => {
    let count = 0
    for await (const _ of b.bus.history(loadReported, pool, { since: 0 })) {
      count += 1
      if (count !== 100) continue
      await own.kill()
      await waitFor(() => !b.bus.isConnected(), 5000, 'the bus to be gone')
    }
  })()
  await expect(reading).rejects.toMatchObject({ code: 'disconnected' })
  await expect(read(b.bus, { since: 0 })).rejects.toMatchObject({ code: 'disconnected' })
})

it('needs no more than config/nats.conf allows the operator', async () => {
  for (const user of ['INGRESS', 'PROBER', 'WEIGHER', 'LOCATION', 'OPERATOR', 'PROGRAMS']) {
    process.env[`SIPLB_NATS_${user}_PASSWORD`] = '"secret"'
  }
  const file = fileURLToPath(new URL('../../../config/nats.conf', import.meta.url))
  await using guarded = await startNats({ args: ['-c', file] })
  const as = (user: string) => connectedBus(guarded, { prefix: 'siplb.v1', user, password: 'secret', isService: false })
  await using weigher = await as('weigher')
  await using prober = await as('prober')
  await using operator = await as('operator')
  await weigher.bus.ensureStream(streams.signals)
  for (let i = 0; i < 200; i++) prober.bus.publish(loadReported, pool, loadOf('px1'))
  await waitFor(async () => (await read(operator.bus, { since: 0 })).length === 200, 5000, 'the whole history')
  expect(operator.said('bus refused something')).toEqual([])
})
