import type { Received } from '@siplb/bus'
import {
  batchContentType,
  cloudEvent,
  eventContentType,
  loadReported,
  proxyStateChanged,
  streamName,
  streams,
  type Load,
} from '@siplb/contracts'
import { startNats, waitFor, type TestNats } from '@siplb/testkit'
import { connect, headers, type Msg, type NatsConnection } from 'nats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectedBus, ownPrefix, settled, type BusUnderTest } from './bus-under-test.ts'

let nats: TestNats
let user: NatsConnection

beforeAll(async () => {
  nats = await startNats()
  user = await connect({ servers: nats.url })
})

afterAll(async () => {
  await user.close()
  await nats.stop()
})

const { address } = loadReported
const pool = { pool: 'blue' }
const loadOf = (proxy: string, load = 0.5): Load => ({ proxy, load, source: 'test', ageMs: 0, expiresInMs: 1000 })

/** What a user of NATS hears, who knows nothing of us. */
async function hearing(subject: string): Promise<Msg[]> {
  const heard: Msg[] = []
  user.subscribe(subject, { callback: (_, message) => void heard.push(message) })
  await user.flush()
  return heard
}

async function subscribed({ bus }: BusUnderTest, params = pool): Promise<Received<Load>[]> {
  const heard: Received<Load>[] = []
  bus.subscribe(loadReported, params, (event) => void heard.push(event))
  await settled(bus)
  return heard
}

describe('publishing', () => {
  it('is one CloudEvent in structured mode, with a content type that says so', async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix(), service: 'prober', instance: 'p-1' })
    const heard = await hearing(`${a.bus.prefix}.evt.load.blue`)
    expect(a.bus.publish(loadReported, pool, loadOf('px1'))).toBe(true)
    const message = await waitFor(() => heard[0], 2000)
    expect(message.headers?.get('content-type')).toBe(eventContentType)
    expect(message.headers?.has('Nats-Msg-Id')).toBe(false)
    const event = message.json<Record<string, unknown>>()
    expect(event).toEqual({
      specversion: '1.0',
      id: expect.stringMatching(/./),
      type: 'siplb.load.v1',
      source: '/siplb/prober/p-1',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      data: loadOf('px1'),
    })
    expect(cloudEvent.safeParse(event).success).toBe(true)
    expect(Math.abs(Date.now() - Date.parse(String(event['time'])))).toBeLessThan(10_000)
    expect(a.counted(`published ${address}`)).toBe(1)
  })

  it('sends many data as a batch, and says that', async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix() })
    const heard = await hearing(`${a.bus.prefix}.evt.load.blue`)
    a.bus.publish(loadReported, pool, [loadOf('px1'), loadOf('px2')])
    const message = await waitFor(() => heard[0], 2000)
    expect(message.headers?.get('content-type')).toBe(batchContentType)
    expect(message.json<{ data: Load }[]>().map(({ data }) => data.proxy)).toEqual(['px1', 'px2'])
  })

  it('splits what is too much for one batch into more of them, each of which is counted', async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix() })
    const heard = await hearing(`${a.bus.prefix}.evt.load.blue`)
    a.bus.publish(
      loadReported,
      pool,
      Array.from({ length: 1100 }, (_, i) => loadOf(`px${i}`)),
    )
    a.bus.publish(loadReported, pool, [])
    a.bus.publish(loadReported, pool, loadOf('last'))
    await waitFor(() => heard.length >= 4, 2000)
    expect(heard.slice(0, 3).map((message) => message.json<unknown[]>().length)).toEqual([500, 500, 100])
    expect(heard[3]?.json()).toMatchObject({ data: { proxy: 'last' } })
    expect(a.counted(`published ${address}`)).toBe(4)
  })

  it('sends what was written as it happened as a batch, or drops and counts it where there is no bus', async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix() })
    const heard = await hearing(`${a.bus.prefix}.evt.load.blue`)
    const loads = a.bus.batch(loadReported, pool)
    for (const proxy of ['px1', 'px2']) {
      const event = loads.begin()
      event.text('proxy', proxy)
      event.number('load', 0.5)
      loads.end()
    }
    expect([loads.size, loads.send(), loads.size]).toEqual([2, true, 0])
    const message = await waitFor(() => heard[0], 2000)
    expect(message.headers?.get('content-type')).toBe(batchContentType)
    expect(message.json<{ data: Load }[]>().map(({ data }) => data.proxy)).toEqual(['px1', 'px2'])
    await a.bus.close()
    const event = loads.begin()
    event.text('proxy', 'px3')
    event.number('load', 0.5)
    loads.end()
    expect([loads.send(), loads.size]).toEqual([false, 0])
    expect([a.counted(`published ${address}`), a.counted(`unpublished ${address}`)]).toEqual([1, 1])
  })

  it('gives every event an id of its own, also where an instance is started anew under its old name', async () => {
    const prefix = ownPrefix()
    const heard = await hearing(`${prefix}.evt.load.blue`)
    for (let start = 0; start < 2; start++) {
      await using a = await connectedBus(nats, { prefix })
      for (let i = 0; i < 10; i++) a.bus.publish(loadReported, pool, loadOf('px1'))
      a.bus.publish(
        loadReported,
        pool,
        Array.from({ length: 600 }, () => loadOf('px1')),
      )
    }
    await waitFor(() => heard.length === 2 * (10 + 2), 2000)
    const ids = heard.flatMap((message) =>
      [message.json<{ id: string } | { id: string }[]>()].flat().map(({ id }) => id),
    )
    expect(new Set(ids).size).toBe(2 * 610)
  })

  it('is stored once by a stream, however often it is said under one id', async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix() })
    await a.bus.ensureStream(streams.events)
    const heard = await hearing(`${a.bus.prefix}.evt.proxy.state.blue.px1`)
    const data = { pool: 'blue', proxy: 'px1', state: 'down', prevState: 'up', cause: 'lost', actor: 'test' } as const
    for (const id of ['blue:1:7', 'blue:1:7', 'blue:1:8']) {
      a.bus.publish(proxyStateChanged, { pool: 'blue', proxy: 'px1' }, data, id)
    }
    await waitFor(() => heard.length === 3, 2000)
    expect(heard.map((message) => message.headers?.get('Nats-Msg-Id'))).toEqual(['blue:1:7', 'blue:1:7', 'blue:1:8'])
    expect(heard.map((message) => message.json<{ id: string }>().id)).toEqual(['blue:1:7', 'blue:1:7', 'blue:1:8'])
    const jsm = await user.jetstreamManager()
    const stored = async () => (await jsm.streams.info(streamName(a.bus.prefix, streams.events))).state.messages
    await waitFor(async () => (await stored()) >= 2, 2000)
    expect(await stored()).toBe(2)
  })

  it('throws for data of ours that break the contract, and sends nothing', async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix() })
    const heard = await hearing(`${a.bus.prefix}.>`)
    expect(() => a.bus.publish(loadReported, pool, loadOf('px1', 2))).toThrow(/load/)
    expect(() => a.bus.publish(loadReported, pool, [loadOf('px1', 2), loadOf('px2')])).toThrow(/load/)
    expect(() => a.bus.publish(loadReported, {}, loadOf('px1'))).toThrow(/pool/)
    a.bus.publish(loadReported, pool, loadOf('good'))
    await waitFor(() => heard.length > 0, 2000)
    expect(heard[0]?.json()).toMatchObject({ data: { proxy: 'good' } })
  })
})

describe('subscribing', () => {
  it('hears events with the parameters of their subject, their source and their id', async () => {
    const prefix = ownPrefix()
    await using a = await connectedBus(nats, { prefix, service: 'prober', instance: 'p-1' })
    await using b = await connectedBus(nats, { prefix })
    const heard = await subscribed(b, { pool: '*' })
    a.bus.publish(loadReported, { pool: 'blue' }, loadOf('px1'), 'own-id')
    a.bus.publish(loadReported, { pool: 'red' }, [loadOf('px2'), loadOf('px3')])
    await waitFor(() => heard.length === 3, 2000)
    expect(heard[0]).toEqual({
      data: loadOf('px1'),
      params: { pool: 'blue' },
      source: '/siplb/prober/p-1',
      id: 'own-id',
    })
    expect(heard.slice(1).map(({ data, params }) => [data.proxy, params['pool']])).toEqual([
      ['px2', 'red'],
      ['px3', 'red'],
    ])
    expect(b.counted(`received ${address}`)).toBe(2)
    expect(b.counted(`dropped ${address} malformed`)).toBe(0)
  })

  it("hears a user's own events, which have no header and only what has no default", async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix() })
    const heard = await subscribed(a)
    const event = {
      specversion: '1.0',
      id: '1',
      source: '/mine',
      type: 'siplb.load.v1',
      data: { proxy: 'px1', load: 1 },
    }
    user.publish(`${a.bus.prefix}.evt.load.blue`, JSON.stringify(event))
    user.publish(`${a.bus.prefix}.evt.load.blue`, JSON.stringify([event, { ...event, id: '2' }]))
    // The first byte decides, whatever a header says.
    const misled = headers()
    misled.set('content-type', batchContentType)
    user.publish(`${a.bus.prefix}.evt.load.blue`, JSON.stringify({ ...event, id: '3' }), { headers: misled })
    await waitFor(() => heard.length === 4, 2000)
    expect(heard.map(({ id }) => id)).toEqual(['1', '1', '2', '3'])
    expect(heard[0]?.data).toEqual({ proxy: 'px1', load: 1, source: 'event', ageMs: 0, expiresInMs: 10_000 })
  })

  it('drops and counts what does not fit the contract, and hears the next event', async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix() })
    const heard = await subscribed(a)
    const say = (text: string) => user.publish(`${a.bus.prefix}.evt.load.blue`, text)
    const event = (over: object) =>
      JSON.stringify({
        specversion: '1.0',
        id: '1',
        source: '/me',
        type: loadReported.type,
        data: loadOf('px1'),
        ...over,
      })
    const bad = ['', '{', JSON.stringify(loadOf('px1')), event({ type: 'x' }), event({ data: loadOf('px1', -1) })]
    for (const text of bad) say(text)
    say(`[${event({ id: 'first' })},${event({ data: {} })},${event({ id: 'third' })}]`)
    say(event({ id: 'last' }))
    await waitFor(() => heard.some(({ id }) => id === 'last'), 2000)
    expect(heard.map(({ id }) => id)).toEqual(['first', 'third', 'last'])
    expect(a.counted(`received ${address}`)).toBe(bad.length + 2)
    expect(a.counted(`dropped ${address} malformed`)).toBe(bad.length + 1)
  })

  it('counts a handler that throws, and goes on with the next event', async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix() })
    const heard: string[] = []
    a.bus.subscribe(loadReported, pool, ({ data }) => {
      if (data.proxy === 'px1') throw new Error('not this one')
      heard.push(data.proxy)
    })
    await settled(a.bus)
    a.bus.publish(loadReported, pool, [loadOf('px1'), loadOf('px2')])
    a.bus.publish(loadReported, pool, loadOf('px1'))
    a.bus.publish(loadReported, pool, loadOf('px3'))
    await waitFor(() => heard.includes('px3'), 2000)
    expect(heard).toEqual(['px2', 'px3'])
    expect(a.counted(`dropped ${address} handler`)).toBe(2)
    expect(a.said('event handler failed')[0]?.fields).toMatchObject({
      problem: expect.stringContaining('not this one'),
    })
  })

  it('ends with `stop`, and only this one', async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix() })
    const stopped: string[] = []
    const subscription = a.bus.subscribe(loadReported, pool, ({ data }) => void stopped.push(data.proxy))
    const heard = await subscribed(a)
    a.bus.publish(loadReported, pool, loadOf('px1'))
    await waitFor(() => stopped.length === 1, 2000)
    subscription.stop()
    a.bus.publish(loadReported, pool, loadOf('px2'))
    await waitFor(() => heard.length === 2, 2000)
    expect(stopped).toEqual(['px1'])
  })
})

describe('a stream', () => {
  it('is made once and brought to its limits whenever it is asked for', async () => {
    await using a = await connectedBus(nats, { prefix: 'shop.lb.v1' })
    const spec = { name: 'HISTORY', addresses: ['evt.load.>'], maxAgeMs: 3_600_000, maxBytes: 1_000_000 }
    await a.bus.ensureStream(spec)
    a.bus.publish(loadReported, pool, loadOf('px1'))
    await Promise.all([a.bus.ensureStream(spec), a.bus.ensureStream(spec)])
    await a.bus.ensureStream({ ...spec, addresses: ['evt.load.>', 'evt.traffic.>'], maxBytes: 2_000_000 })
    const { config, state } = await (await user.jetstreamManager()).streams.info('SHOP-LB_HISTORY')
    expect(config).toMatchObject({
      subjects: ['shop.lb.v1.evt.load.>', 'shop.lb.v1.evt.traffic.>'],
      max_age: 3_600_000 * 1e6,
      max_bytes: 2_000_000,
      discard: 'old',
      storage: 'file',
    })
    expect(state.messages).toBe(1)
  })
})
