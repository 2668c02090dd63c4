import type { EventBatch } from '@siplb/bus'
import { loadReported, streams } from '@siplb/contracts'
import { startNats, waitFor, type TestNats } from '@siplb/testkit'
import { connect, type NatsConnection } from 'nats'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Audience } from '../src/audience.ts'
import { connectedBus, openBus, ownPrefix, settled, type BusUnderTest } from './bus-under-test.ts'

let nats: TestNats

beforeAll(async () => {
  nats = await startNats()
})

afterAll(() => nats.stop())

const pool = { pool: 'blue' }

function write(events: EventBatch, proxy: string): void {
  const event = events.begin()
  event.text('proxy', proxy)
  event.text('source', 'test')
  for (const [name, value] of Object.entries({ load: 0.5, ageMs: 0, expiresInMs: 1000 })) event.number(name, value)
  events.end()
}

/** Events of one bus, and who hears them on another. */
async function telling() {
  const prefix = ownPrefix()
  const speaker = await connectedBus(nats, { prefix })
  const listener = await connectedBus(nats, { prefix })
  const events = speaker.bus.batch(loadReported, pool, 'audience')
  return {
    ...{ speaker, listener, events },
    ask: (proxy: string) => (write(events, proxy), events.ask()),
    send: (proxy: string) => (write(events, proxy), events.send()),
    async [Symbol.asyncDispose]() {
      for (const one of [speaker, listener]) await one.bus.close()
    },
  }
}

async function listening({ bus }: BusUnderTest) {
  const heard: string[] = []
  const subscription = bus.subscribe(loadReported, pool, ({ data }) => void heard.push(data.proxy))
  await settled(bus)
  return { heard, stop: () => (subscription.stop(), settled(bus)) }
}

it('who asks is told whether anybody hears it, each time anew', async () => {
  await using s = await telling()
  expect(s.events.isHeard).toBe(true)
  expect([await s.ask('px1'), s.events.isHeard]).toEqual([false, false])
  const { heard, stop } = await listening(s.listener)
  expect([await s.ask('px2'), s.events.isHeard]).toEqual([true, true])
  await waitFor(() => heard.length > 0, 2000)
  expect(heard).toEqual(['px2'])
  await stop()
  expect(await s.ask('px3')).toBe(false)
})

it('who only sends hears within a second or so that nobody is there', async () => {
  await using s = await telling()
  const { stop } = await listening(s.listener)
  s.send('px1')
  await settled(s.speaker.bus)
  expect(s.events.isHeard).toBe(true)
  await stop()
  await waitFor(() => (s.send('px2'), !s.events.isHeard), 3000)
})

it('a stream that keeps the events is somebody who hears them', async () => {
  await using s = await telling()
  await s.listener.bus.ensureStream(streams.signals)
  expect(await s.ask('px1')).toBe(true)
})

it('nothing that is asked is asked for nothing: without events it is told what is known', async () => {
  await using s = await telling()
  expect([await s.events.ask(), await s.ask('px1'), await s.events.ask()]).toEqual([true, false, false])
})

it('without a connection it is not known who is there, and who asks does not wait', async () => {
  await using own = await startNats()
  await using a = await connectedBus(own)
  const events = a.bus.batch(loadReported, pool, 'audience')
  const ask = () => (write(events, 'px1'), events.ask())
  expect(await ask()).toBe(false)
  await own.freeze()
  const since = performance.now()
  expect(await ask()).toBe(true)
  expect(performance.now() - since).toBeLessThan(4000)
  expect([events.isHeard, await ask()]).toEqual([true, true])
  own.thaw()
  await waitFor(() => a.bus.isConnected(), 10_000)
  expect(await ask()).toBe(false)
})

it('before there is a server, events are dropped as all are', async () => {
  await using a = openBus({ url: 'nats://127.0.0.1:1' })
  const events = a.bus.batch(loadReported, pool, 'audience')
  write(events, 'px1')
  expect([await events.ask(), a.counted(`unpublished ${loadReported.address}`)]).toEqual([true, 1])
})

it('when the connection goes for good while it is asked, who asks does not wait for ever', async () => {
  await using own = await startNats()
  const nc = await connect({ servers: own.url })
  let lose = () => {}
  const connection = {
    current: nc,
    onChange(listener: (now: NatsConnection | undefined) => void) {
      listener(nc)
      lose = () => listener(undefined)
      return { stop: () => true }
    },
  }
  const audience = new Audience(connection, ([batch], replyTo) => {
    const reply = replyTo() ?? expect.unreachable()
    nc.publish('evt', batch ?? '', { reply })
    return true
  })
  await own.freeze()
  const asked = audience.ask([Buffer.from('[]')])
  lose()
  expect(await asked).toBe(true)
  own.thaw()
  await nc.close()
})
