import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus } from '@siplb/bus'
import { createSampleProxy, startNats, waitFor, type TestNats } from '@siplb/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectBus, startLoop, type LoopUnderTest } from '../loop-under-test.ts'
import { startUdpProxy, type Asked } from '../udp-proxy.ts'

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

/** One series of the canary metrics, summed over the proxies. */
async function counted(loop: LoopUnderTest, name: string, label = ''): Promise<number> {
  const lines = (await loop.registry.metrics()).split('\n')
  const ours = lines.filter((line) => line.startsWith(`${name}{`) && line.includes(label))
  return ours.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

const ended = (loop: LoopUnderTest, ending: string) => counted(loop, 'siplb_canary_calls_total', `ending="${ending}"`)

describe('canary calls', () => {
  it('that are answered, 200 of them, leave no dialog at the callee', async () => {
    await using proxy = await createSampleProxy({ loadHeader: true })
    const proxies = ['px1', 'px2', 'px3', 'px4'].map((id) => ({ id, uri: proxy.uri }))
    await using loop = await startLoop(bus, 'answered', proxies, { method: 'INVITE', intervalMs: 50, ringMs: 5000 })
    await waitFor(() => proxy.counters().callsEnded >= 200, 15_000)
    loop.configure({ method: 'OPTIONS' })
    await waitFor(async () => (await ended(loop, 'hung-up')) === proxy.counters().requests['INVITE'], 5000)
    expect(proxy.dialogs.size).toBe(0)
    const { callsAnswered, callsEnded, unacknowledged, requests } = proxy.counters()
    expect(callsAnswered).toBe(callsEnded)
    expect(unacknowledged).toBe(0)
    expect(requests).toMatchObject({ INVITE: callsEnded, BYE: callsEnded, ACK: callsEnded })
    expect(requests['CANCEL'] ?? 0).toBe(0)
    expect(await ended(loop, 'hung-up')).toBe(callsEnded)
    const calls = loop.samples.filter(({ method }) => method === 'INVITE')
    expect(calls.length).toBeGreaterThanOrEqual(200)
    for (const sample of calls) expect(sample).toMatchObject({ outcome: 'answered', status: 200 })
    // The load is told in the answer to the INVITE too.
    expect(loop.loads[0]).toMatchObject({ source: 'header', load: 0 })
  })

  it('that ring are cancelled at once, and count as answered', async () => {
    await using proxy = await createSampleProxy({ ringMs: 60_000 })
    const settings = { method: 'INVITE', intervalMs: 200 } as const
    await using loop = await startLoop(bus, 'rings', [{ id: 'px1', uri: proxy.uri }], {
      ...settings,
      aliveCodes: ['2xx'],
    })
    await waitFor(async () => (await ended(loop, 'cancelled')) >= 3, 5000)
    for (const sample of loop.samples) expect(sample).toMatchObject({ outcome: 'answered', method: 'INVITE' })
    expect(proxy.dialogs.size).toBe(0)
    expect(proxy.counters().callsAnswered).toBe(0)
  })

  it('are timed by the first word of the proxy', async () => {
    await using proxy = await startUdpProxy(({ request, answer }) => {
      if (request.method !== 'INVITE') return
      setTimeout(answer, 20, 100)
      setTimeout(answer, 250, 486)
    })
    await using loop = await startLoop(bus, 'timed', [{ id: 'px1', uri: proxy.uri }], { method: 'INVITE' })
    const sample = await waitFor(() => loop.samples[0], 3000)
    expect(sample).toMatchObject({ outcome: 'answered', status: 486 })
    expect(sample.responseTimeMs).toBeGreaterThan(15)
    expect(sample.responseTimeMs).toBeLessThan(200)
  })

  it('answered when the probe is long lost are acknowledged and hung up', async () => {
    await using proxy = await startUdpProxy(({ request, answer }) => {
      if (request.method === 'INVITE') setTimeout(answer, 700)
      if (request.method === 'BYE') answer()
    })
    await using loop = await startLoop(bus, 'late-call', [{ id: 'px1', uri: proxy.uri }], {
      method: 'INVITE',
      intervalMs: 3000,
      timeoutMs: 100,
    })
    await waitFor(async () => (await ended(loop, 'hung-up')) >= 4, 6000)
    expect(loop.samples[0]).toMatchObject({ outcome: 'lost', method: 'INVITE' })
    expect(loop.samples[0]?.status).toBeUndefined()
    const methods = proxy.asked.map(({ request }) => request.method)
    expect(methods.filter((method) => method === 'ACK').length).toBeGreaterThanOrEqual(4)
  })

  it('that hang are at most four at a time at a proxy; what is left out is counted', async () => {
    // Tries for ever, and takes no CANCEL.
    await using proxy = await startUdpProxy(({ request, answer }) => {
      if (request.method === 'INVITE') answer(100)
    })
    await using loop = await startLoop(bus, 'hangs', [{ id: 'px1', uri: proxy.uri }], {
      method: 'INVITE',
      intervalMs: 100,
      timeoutMs: 50,
    })
    await waitFor(async () => (await counted(loop, 'siplb_canary_calls_left_out_total')) >= 3, 5000)
    const of = (method: string) => proxy.asked.filter(({ request }) => request.method === method)
    expect(of('INVITE')).toHaveLength(4)
    expect(new Set(of('CANCEL').map(({ request }) => request.callId)).size).toBe(4)
  })

  it('that are never answered at all blind nobody: the next ones go out', async () => {
    await using proxy = await startUdpProxy(() => {})
    await using _loop = await startLoop(bus, 'mute', [{ id: 'px1', uri: proxy.uri }], {
      method: 'INVITE',
      intervalMs: 100,
      timeoutMs: 50,
    })
    await waitFor(() => proxy.asked.length >= 10, 5000)
    expect(new Set(proxy.asked.map(({ request }) => request.method))).toEqual(new Set(['INVITE']))
    expect(new Set(proxy.asked.map(({ request }) => request.callId)).size).toBe(proxy.asked.length)
  })

  it('are ended when the prober stops, or probes the proxy no more', async () => {
    const behave = ({ request, answer }: Asked) => {
      if (request.method === 'INVITE') answer(180)
      else if (request.method === 'CANCEL') {
        answer()
        const call = proxy.asked.find((one) => one.request.method === 'INVITE' && one.request.callId === request.callId)
        call?.answer(487)
      }
    }
    await using proxy = await startUdpProxy(behave)
    const of = (method: string) => proxy.asked.filter(({ request }) => request.method === method)
    const settings = { method: 'INVITE', intervalMs: 3_600_000, ringMs: 30_000 } as const
    const listed = [{ id: 'px1', uri: proxy.uri }]
    {
      await using loop = await startLoop(bus, 'stops', listed, { ...settings, intervalMs: 50 })
      await waitFor(() => of('INVITE').length >= 2, 5000)
      expect(of('CANCEL')).toEqual([])
      loop.list([])
      await waitFor(() => of('ACK').length > 0 && of('ACK').length === of('INVITE').length, 5000)
      loop.list(listed)
      const before = of('INVITE').length
      await waitFor(() => of('INVITE').length > before, 5000)
    }
    // Told within the stop, while the socket is still there.
    await sleep(50)
    expect(of('CANCEL').length).toBe(of('INVITE').length)
    expect(of('ACK').length).toBe(of('INVITE').length)
  })

  it('of a callee that hangs up first get their answer', async () => {
    await using proxy = await createSampleProxy()
    proxy.setAnswer('silent', ['BYE'])
    const settings = { method: 'INVITE', intervalMs: 1000 } as const
    await using loop = await startLoop(bus, 'crosses', [{ id: 'px1', uri: proxy.uri }], { ...settings, ringMs: 500 })
    await waitFor(() => proxy.counters().callsAnswered >= 1, 5000)
    const [callId = ''] = proxy.dialogs.keys()
    expect(await proxy.hangUp(callId)).toBe(200)
    // Ours comes again, and is told that the call is gone.
    proxy.setAnswer('ok', ['BYE'])
    await waitFor(async () => (await ended(loop, 'hung-up')) >= 1, 5000)
  })
})

describe('what counts as alive', () => {
  it.each(['OPTIONS', 'INVITE'] as const)(
    'is the list: any other final answer to %s is a loss with a status',
    async (method) => {
      await using proxy = await startUdpProxy(({ request, answer }) => {
        if (request.method === method) answer(404)
      })
      const settings = { method, intervalMs: 200, aliveCodes: ['2xx', 486] }
      await using loop = await startLoop(
        bus,
        `alive-${method.toLowerCase()}`,
        [{ id: 'px1', uri: proxy.uri }],
        settings,
      )
      expect(await waitFor(() => loop.samples[0], 3000)).toMatchObject({ outcome: 'lost', status: 404, method })
      loop.configure({ method, intervalMs: 200, aliveCodes: ['4xx'] })
      await waitFor(() => loop.samples.at(-1)?.outcome === 'answered', 3000)
    },
  )
})

describe('overload control in the answer to a probe', () => {
  const oc = (params: string) => (asked: Asked) => {
    // As a server does it: our bare parameters give way to its own (RFC 7339, 4.2).
    const answer = Buffer.from(
      [
        'SIP/2.0 200 OK',
        `Via: ${asked.request.bytes
          .toString('latin1', asked.request.topVia.start, asked.request.topVia.end)
          .replace(';oc;oc-algo="loss"', params)}`,
        `From: <${asked.request.from.uri}>;tag=${asked.request.from.tag}`,
        `To: <${asked.request.to.uri}>;tag=b`,
        `Call-ID: ${asked.request.callId}`,
        'CSeq: 1 OPTIONS',
        'Content-Length: 0',
        '',
        '',
      ].join('\r\n'),
    )
    asked.send(answer)
  }

  it('becomes a load event that holds for its validity', async () => {
    await using proxy = await startUdpProxy(oc(';oc=30;oc-algo="loss";oc-validity=3000;oc-seq=1.7'))
    await using loop = await startLoop(bus, 'oc', [{ id: 'px1', uri: proxy.uri }])
    const load = await waitFor(() => loop.loads[0], 3000)
    expect(load).toMatchObject({
      proxy: 'px1',
      load: 0.3,
      source: 'oc',
      expiresInMs: 3000,
      overload: { algorithm: 'loss', value: 30, validityMs: 3000, seq: 1.7 },
    })
    expect(await loop.registry.metrics()).toMatch(/siplb_load_reports_total\{.*source="oc"\} [1-9]/)
  })

  it('is told too when it ends, and not when it is old or broken', async () => {
    const said = [
      ';oc=50;oc-algo="loss";oc-validity=9000;oc-seq=2.5',
      ';oc=10;oc-algo="loss";oc-validity=9000;oc-seq=2.4',
      ';oc=101;oc-algo="loss";oc-validity=9000;oc-seq=2.6',
      ';oc=0;oc-algo="loss";oc-validity=0;oc-seq=2.7',
    ]
    await using proxy = await startUdpProxy((asked) => oc(said.shift() ?? '')(asked))
    await using loop = await startLoop(bus, 'oc-ends', [{ id: 'px1', uri: proxy.uri }], { intervalMs: 100 })
    await waitFor(() => loop.loads.length >= 2, 5000)
    await sleep(300)
    expect(loop.loads.map(({ load, expiresInMs, overload }) => [load, expiresInMs, overload?.seq])).toEqual([
      [0.5, 9000, 2.5],
      [0, 1, 2.7],
    ])
    expect(await loop.registry.metrics()).toMatch(/siplb_load_failures_total\{.*source="oc"\} 1/)
  })
})
