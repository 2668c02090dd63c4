import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Bus } from '@siplb/bus'
import {
  createSampleProxy,
  startKamailio,
  startNats,
  startSipp,
  waitFor,
  type Kamailio,
  type TestNats,
} from '@siplb/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectBus, startLoop, type LoopUnderTest } from './loop-under-test.ts'

let nats: TestNats
let bus: Bus
beforeAll(async () => {
  nats = await startNats()
  bus = await connectBus(nats.url)
})
afterAll(async () => {
  await bus.close()
  await nats.stop()
})

const scenario = (name: string, from = './scenarios/') => fileURLToPath(new URL(`${from}${name}.xml`, import.meta.url))
const uas = scenario('uas', '../../../test/peers/scenarios/')

async function ended(loop: LoopUnderTest, ending: string): Promise<number> {
  const lines = (await loop.registry.metrics()).split('\n')
  const ours = lines.filter((line) => line.startsWith('siplb_canary_calls_total{') && line.includes(`"${ending}"`))
  return ours.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0)
}

const settings = { method: 'INVITE', intervalMs: 100, timeoutMs: 1000 } as const
const four = (uri: string) => ['px1', 'px2', 'px3', 'px4'].map((id) => ({ id, uri }))
const active = async (kamailio: Kamailio) =>
  (await kamailio.statistics(['tmx:active_transactions']))['tmx:active_transactions']

describe('canary calls through a real Kamailio that records its route', () => {
  it('that a real SIPp answers, 200 of them, all end with it', async () => {
    await using called = await startSipp({ scenario: uas })
    await using kamailio = await startKamailio({ next: called })
    await using loop = await startLoop(bus, 'sipp', four(kamailio.uri), { ...settings, ringMs: 5000 })
    await waitFor(async () => (await ended(loop, 'hung-up')) >= 200, 20_000)
    loop.configure({ method: 'OPTIONS' })
    await waitFor(async () => (await active(kamailio)) === 0, 5000)
    const { created, successful, failed, errors } = await called.stop()
    expect({ failed, errors }).toEqual({ failed: 0, errors: '' })
    expect(successful).toBe(created)
    expect(await ended(loop, 'hung-up')).toBe(created)
    const counted = await kamailio.statistics(['core:rcv_requests_invite', 'core:rcv_requests_bye'])
    expect(counted['core:rcv_requests_bye']).toBe(counted['core:rcv_requests_invite'])
    for (const sample of loop.samples.filter(({ method }) => method === 'INVITE')) {
      expect(sample).toMatchObject({ outcome: 'answered', status: 200 })
    }
  })

  it('that a phone answers leave no dialog with it', async () => {
    await using phone = await createSampleProxy()
    await using kamailio = await startKamailio({ next: phone })
    await using loop = await startLoop(bus, 'phone', four(kamailio.uri), { ...settings, ringMs: 5000 })
    await waitFor(() => phone.counters().callsEnded >= 200, 20_000)
    loop.configure({ method: 'OPTIONS' })
    await waitFor(async () => (await ended(loop, 'hung-up')) === phone.counters().requests['INVITE'], 5000)
    expect(phone.dialogs.size).toBe(0)
    expect(phone.counters()).toMatchObject({ unacknowledged: 0 })
  })

  it('that ring for ever at a real SIPp are cancelled, and their 487 acknowledged', async () => {
    await using called = await startSipp({ scenario: scenario('rings-for-ever') })
    const uri = `sip:127.0.0.1:${called.port}`
    await using loop = await startLoop(bus, 'rings', [{ id: 'px1', uri }], settings)
    await waitFor(async () => (await ended(loop, 'cancelled')) >= 20, 15_000)
    // SIPp would call an OPTIONS unexpected.
    loop.list([])
    await setTimeout(300)
    const { created, successful, failed, errors } = await called.stop()
    expect({ failed, errors }).toEqual({ failed: 0, errors: '' })
    expect(successful).toBe(created)
    expect(created).toBeGreaterThanOrEqual(20)
    for (const { outcome } of loop.samples) expect(outcome).toBe('answered')
  })

  it('that ring for ever behind it are cancelled, and leave no transaction with it', async () => {
    await using phone = await createSampleProxy({ ringMs: 60_000 })
    await using kamailio = await startKamailio({ next: phone })
    await using loop = await startLoop(bus, 'rings-behind', [{ id: 'px1', uri: kamailio.uri }], settings)
    await waitFor(async () => (await ended(loop, 'cancelled')) >= 20, 15_000)
    loop.configure({ method: 'OPTIONS' })
    await waitFor(async () => (await active(kamailio)) === 0, 5000)
    expect(phone.dialogs.size).toBe(0)
    expect(phone.counters()).toMatchObject({ callsAnswered: 0 })
    expect(phone.counters().requests['CANCEL']).toBe(phone.counters().requests['INVITE'])
  })

  it.each([404, 486, 503])('that it declines by %i are acknowledged, and judged by aliveCodes', async (status) => {
    await using phone = await createSampleProxy()
    await using kamailio = await startKamailio({ next: phone })
    await kamailio.setRefusal(status)
    const aliveCodes = ['2xx', 404, 486] as const
    await using loop = await startLoop(bus, `declines-${status}`, [{ id: 'px1', uri: kamailio.uri }], {
      ...settings,
      aliveCodes: [...aliveCodes],
    })
    await waitFor(() => loop.samples.length >= 5, 5000)
    const outcome = status === 503 ? 'lost' : 'answered'
    for (const sample of loop.samples) expect(sample).toMatchObject({ outcome, status })
    // It filters those before it counts requests.
    const { 'sl:received_ACKs': acks } = await kamailio.statistics(['sl:received_ACKs'])
    expect(acks).toBeGreaterThanOrEqual(5)
  })

  it('are timed as its own reaction: the delay of its processes', async () => {
    await using phone = await createSampleProxy()
    await using kamailio = await startKamailio({ next: phone })
    await using loop = await startLoop(bus, 'delay', [{ id: 'px1', uri: kamailio.uri }], settings)
    await kamailio.setDelay(60)
    await waitFor(() => loop.samples.some(({ responseTimeMs = 0 }) => responseTimeMs >= 60), 5000)
  })
})

it('the Prometheus page of a real Kamailio tells its load', async () => {
  await using silent = await createSampleProxy({ answer: 'silent' })
  await using kamailio = await startKamailio({ next: silent })
  const url = kamailio.rpcUrl.replace('/RPC', '/metrics')
  const metric = 'kamailio_tmx_active_transactions'
  const load = { source: 'prometheus', url, metric, capacity: 10, intervalMs: 100, expiryMs: 5000 } as const
  await using loop = await startLoop(bus, 'page', [{ id: 'px1', uri: kamailio.uri, load }], {
    ...settings,
    timeoutMs: 300,
  })
  await waitFor(() => loop.loads.some(({ source, load: told }) => source === 'prometheus' && told > 0), 10_000)
  const told = loop.loads.filter(({ source }) => source === 'prometheus')
  expect(told[0]?.details).toMatchObject({ capacity: 10 })
})
