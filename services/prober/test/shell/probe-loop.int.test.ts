import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus } from '@siplb/bus'
import { buildResponse } from '@siplb/sip'
import { startNats, waitFor, type TestNats } from '@siplb/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectBus, startLoop } from '../loop-under-test.ts'
import { closedPort, startUdpProxy, type Asked } from '../udp-proxy.ts'

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

describe('a proxy that answers', () => {
  it('gives one sample per interval, with status and response time', async () => {
    await using proxy = await startUdpProxy(({ answer }) => setTimeout(answer, 40))
    await using loop = await startLoop(bus, 'answers', [{ id: 'px1', uri: proxy.uri }], { intervalMs: 200 })
    await waitFor(() => loop.samples.length >= 6, 5000)
    for (const sample of loop.samples) {
      expect(sample).toMatchObject({ proxy: 'px1', outcome: 'answered', status: 200, method: 'OPTIONS', attempt: 1 })
      expect(sample.responseTimeMs).toBeGreaterThan(30)
    }
    // The very first may be late: its socket is only being opened.
    const [first, last] = [proxy.asked[1], proxy.asked[5]]
    // Four intervals, and jitter of a tenth at either end.
    expect((last?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThan(700)
    expect(new Set(proxy.asked.map(({ request }) => request.callId)).size).toBe(proxy.asked.length)
  })

  it('by 503 is alive, and the status says the rest', async () => {
    await using proxy = await startUdpProxy(({ answer }) => answer(503))
    await using loop = await startLoop(bus, 'busy', [{ id: 'px1', uri: proxy.uri }])
    expect(await waitFor(() => loop.samples[0], 3000)).toMatchObject({ outcome: 'answered', status: 503 })
  })

  it('by 100 first is timed by that, and judged by its final answer', async () => {
    await using proxy = await startUdpProxy(({ answer }) => {
      answer(100)
      setTimeout(answer, 300, 486)
    })
    await using loop = await startLoop(bus, 'trying', [{ id: 'px1', uri: proxy.uri }])
    const sample = await waitFor(() => loop.samples[0], 3000)
    expect(sample).toMatchObject({ outcome: 'answered', status: 486 })
    expect(sample.responseTimeMs).toBeLessThan(250)
  })

  it('twice gives one sample', async () => {
    await using proxy = await startUdpProxy(({ answer }) => {
      answer()
      answer()
    })
    await using loop = await startLoop(bus, 'twice', [{ id: 'px1', uri: proxy.uri }], { intervalMs: 100 })
    await waitFor(() => loop.samples.length >= 5, 5000)
    expect(loop.samples.length).toBeLessThanOrEqual(proxy.asked.length)
    expect(await loop.registry.metrics()).toMatch(/siplb_probe_strays_total\{problem="unmatched"\} [4-9]/)
  })

  it('too late was lost', async () => {
    await using proxy = await startUdpProxy(({ answer }) => setTimeout(answer, 200))
    await using loop = await startLoop(bus, 'late', [{ id: 'px1', uri: proxy.uri }], { timeoutMs: 50 })
    await waitFor(() => loop.samples.length >= 4, 3000)
    expect(new Set(loop.samples.map(({ outcome }) => outcome))).toEqual(new Set(['lost']))
  })
})

describe('a proxy that says nothing', () => {
  it('is known as silent by four losses within 1.7 s', async () => {
    await using proxy = await startUdpProxy(() => {})
    await using loop = await startLoop(bus, 'silent', [{ id: 'px1', uri: proxy.uri }], { intervalMs: 3000 })
    await waitFor(() => loop.samples.length >= 4, 6000)
    expect(loop.samples.map(({ outcome, attempt }) => ({ outcome, attempt }))).toEqual(
      [1, 2, 3, 4].map((attempt) => ({ outcome: 'lost', attempt })),
    )
    expect((loop.samples[3]?.at ?? Infinity) - (proxy.asked[0]?.at ?? 0)).toBeLessThan(1700)
    expect(loop.samples[0]?.responseTimeMs).toBeUndefined()
  })

  it('and then answers is not asked again quickly', async () => {
    let silences = 1
    await using proxy = await startUdpProxy(({ answer }) => {
      if (silences-- <= 0) answer()
    })
    await using loop = await startLoop(bus, 'hiccup', [{ id: 'px1', uri: proxy.uri }], {
      intervalMs: 2000,
      timeoutMs: 100,
    })
    await waitFor(() => loop.samples.length >= 2, 4000)
    await sleep(400)
    expect(loop.samples.map(({ outcome, attempt }) => [outcome, attempt])).toEqual([
      ['lost', 1],
      ['answered', 2],
    ])
  })
})

describe('a port where nobody listens', () => {
  it('is refused at once, however long an answer may take', async () => {
    const uri = `sip:127.0.0.1:${await closedPort()}`
    await using loop = await startLoop(bus, 'closed', [{ id: 'px1', uri }], { intervalMs: 500, timeoutMs: 30_000 })
    await waitFor(() => loop.samples.length >= 2, 3000)
    // Doubtful or not: that says how the machine was, not the proxy.
    for (const sample of loop.samples) expect(sample).toMatchObject({ outcome: 'refused', attempt: 1 })
  })

  it('is answered again when somebody listens there', async () => {
    const port = await closedPort()
    await using loop = await startLoop(bus, 'reopened', [{ id: 'px1', uri: `sip:127.0.0.1:${port}` }], {
      intervalMs: 200,
    })
    expect(await waitFor(() => loop.samples[0], 3000)).toMatchObject({ outcome: 'refused' })
    await using _proxy = await startUdpProxy(undefined, { port })
    await waitFor(() => loop.samples.at(-1)?.outcome === 'answered', 3000)
  })
})

describe('an answer that is not the proxy’s', () => {
  const change = ({ request }: Asked, from: string, to: string): Buffer =>
    Buffer.from(buildResponse(request, { status: 200 }).toString('latin1').replaceAll(from, to), 'latin1')

  it.each<[string, (asked: Asked) => void]>([
    ['has another Call-ID', (asked) => asked.send(change(asked, asked.request.callId, 'another'))],
    ['has another branch', (asked) => asked.send(change(asked, asked.request.topVia.branch ?? '', 'z9hG4bKanother'))],
    ['has another CSeq', (asked) => asked.send(change(asked, '1 OPTIONS', '2 OPTIONS'))],
    ['is no SIP at all', (asked) => asked.send(Buffer.from('SIP/2.0 200 OK\r\n\r\n'))],
    ['is our own request come back', (asked) => asked.send(asked.request.bytes)],
  ])('%s, and is not counted', async (name, behave) => {
    await using proxy = await startUdpProxy(behave)
    const pool = name.replaceAll(' ', '-').slice(0, 30)
    await using loop = await startLoop(bus, pool, [{ id: 'px1', uri: proxy.uri }], { timeoutMs: 100 })
    expect(await waitFor(() => loop.samples[0], 3000)).toMatchObject({ outcome: 'lost' })
    expect(await loop.registry.metrics()).toMatch(/siplb_probe_strays_total\{problem="[a-z-]+"\} [1-9]/)
  })

  it.each(['127.0.0.1', '127.0.0.2'])('comes from another socket, at %s, and is not counted', async (address) => {
    await using foreigner = await startUdpProxy(undefined, { address })
    await using proxy = await startUdpProxy(({ request, from }) => {
      foreigner.sendTo(buildResponse(request, { status: 200 }), from)
    })
    const pool = `foreign-${address.replaceAll('.', '-')}`
    await using loop = await startLoop(bus, pool, [{ id: 'px1', uri: proxy.uri }], { timeoutMs: 100 })
    expect(await waitFor(() => loop.samples[0], 3000)).toMatchObject({ outcome: 'lost' })
  })
})

describe('the load in an answer', () => {
  it('is read from the header', async () => {
    await using proxy = await startUdpProxy(({ answer }) => answer(200, [['SIP-Load', '42%']]))
    await using loop = await startLoop(bus, 'header', [{ id: 'px1', uri: proxy.uri }])
    expect(await waitFor(() => loop.loads[0], 3000)).toMatchObject({
      proxy: 'px1',
      load: 0.42,
      source: 'header',
      ageMs: 0,
      expiresInMs: 10_000,
    })
  })

  it('is read from another header where one is configured, and held against the capacity of the proxy', async () => {
    await using proxy = await startUdpProxy(({ answer }) => answer(200, [['X-Load', 'inuse=31;active=6;shm=1/2']]))
    const load = { source: 'header', capacity: 24, intervalMs: 1000, expiryMs: 5000 } as const
    await using loop = await startLoop(bus, 'x-load', [{ id: 'px1', uri: proxy.uri, load }], { loadHeader: 'X-Load' })
    expect(await waitFor(() => loop.loads[0], 3000)).toMatchObject({
      load: 0.25,
      source: 'header',
      expiresInMs: 5000,
      details: { inuse: 31, active: 6, capacity: 24 },
    })
  })

  it('is read from a JSON body', async () => {
    const type = [['Content-Type', 'application/json']] as const
    await using proxy = await startUdpProxy(({ answer }) => answer(200, type, '{"load":0.42}'))
    await using loop = await startLoop(bus, 'json', [{ id: 'px1', uri: proxy.uri }])
    expect(await waitFor(() => loop.loads[0], 3000)).toMatchObject({ load: 0.42, source: 'body' })
  })

  it('is learnt from active transactions: twice the highest number seen is the capacity', async () => {
    const counts = [10, 40, 10]
    await using proxy = await startUdpProxy(({ answer }) =>
      answer(200, [['SIP-Load', `active=${counts.shift() ?? 0}`]]),
    )
    await using loop = await startLoop(bus, 'learnt', [{ id: 'px1', uri: proxy.uri }], { intervalMs: 100 })
    await waitFor(() => loop.loads.length >= 4, 3000)
    expect(loop.loads.slice(0, 4).map(({ load }) => load)).toEqual([0.5, 0.5, 0.125, 0])
  })

  it('that cannot be read is counted, and never load 0', async () => {
    await using proxy = await startUdpProxy(({ answer }) => answer(200, [['SIP-Load', 'high']]))
    await using loop = await startLoop(bus, 'unreadable', [{ id: 'px1', uri: proxy.uri }], { intervalMs: 100 })
    await waitFor(() => loop.samples.length >= 3, 3000)
    expect(loop.loads).toEqual([])
    expect(await loop.registry.metrics()).toMatch(
      /siplb_load_failures_total\{pool="unreadable",proxy="px1",source="header"\} [3-9]/,
    )
  })
})

describe('a prober', () => {
  it('sleeps while nothing is under way', async () => {
    await using proxy = await startUdpProxy(({ answer }) => answer())
    await using loop = await startLoop(bus, 'sleeps', [{ id: 'px1', uri: proxy.uri }], { intervalMs: 1000 })
    await waitFor(() => loop.samples.length >= 4, 6000)
    // One to send each probe, one to tell of it, and four a second to look at the list; every 20 ms there would be 150.
    const [first = 0, last = 0] = [loop.samples[0]?.at, loop.samples[3]?.at]
    expect(loop.ticks.filter((at) => at > first && at < last).length).toBeLessThan(40)
  })

  it('keeps an eye on its own clock while a probe is under way', async () => {
    await using proxy = await startUdpProxy(({ answer }) => setTimeout(answer, 400))
    await using loop = await startLoop(bus, 'watches', [{ id: 'px1', uri: proxy.uri }], { intervalMs: 1000 })
    await waitFor(() => loop.samples.length >= 1, 3000)
    const askedAt = proxy.asked[0]?.at ?? 0
    expect(loop.ticks.filter((at) => at > askedAt && at < askedAt + 400).length).toBeGreaterThan(8)
  })

  it('is woken by what was not asked for, and tells it soon', async () => {
    await using loop = await startLoop(bus, 'woken', [])
    const waits: number[] = []
    for (let told = 1; told <= 4; told++) {
      const since = performance.now()
      loop.signals.addLoad('woken', { proxy: 'px1', load: 0.5, source: 'freeswitch', ageMs: 0, expiresInMs: 1000 })
      await waitFor(() => loop.loads.length === told, 2000)
      waits.push(performance.now() - since)
    }
    // Asleep it would tell each but the first when it next looks at the list.
    expect(Math.min(...waits.slice(1))).toBeLessThan(120)
  })
})

describe('a prober that stands still', () => {
  const standStill = (ms: number) => {
    for (const end = performance.now() + ms; performance.now() < end;);
  }

  it('doubts what it measured meanwhile', async () => {
    await using proxy = await startUdpProxy(({ answer }) => {
      standStill(100)
      answer()
    })
    await using loop = await startLoop(bus, 'stall', [{ id: 'px1', uri: proxy.uri }])
    expect(await waitFor(() => loop.samples[0], 3000)).toMatchObject({ outcome: 'answered', doubtful: true })
  })

  it('hears who answered meanwhile before it calls a probe lost', async () => {
    await using proxy = await startUdpProxy(({ answer }) => {
      answer()
      standStill(300)
    })
    await using loop = await startLoop(bus, 'waited', [{ id: 'px1', uri: proxy.uri }], { timeoutMs: 100 })
    expect(await waitFor(() => loop.samples[0], 3000)).toMatchObject({ outcome: 'answered' })
  })
})

describe('the list of proxies', () => {
  it('is followed: added, moved and removed ones', async () => {
    await using before = await startUdpProxy()
    await using after = await startUdpProxy()
    await using added = await startUdpProxy()
    const settings = { intervalMs: 100 }
    await using loop = await startLoop(bus, 'followed', [{ id: 'px1', uri: before.uri }], settings)
    await waitFor(() => before.asked.length >= 2, 3000)
    loop.list([
      { id: 'px1', uri: after.uri },
      { id: 'px2', uri: added.uri },
    ])
    await waitFor(() => after.asked.length >= 2 && added.asked.length >= 2, 3000)
    loop.list([])
    await sleep(50)
    const counts = [before.asked.length, after.asked.length, added.asked.length]
    await sleep(300)
    expect([before.asked.length, after.asked.length, added.asked.length]).toEqual(counts)
    expect(await loop.registry.metrics()).not.toContain('pool="followed"')
    // The sockets are closed: their ports can be had.
    for (const { asked } of [before, after, added]) {
      await using port = await startUdpProxy(undefined, { port: asked[0]?.from.port ?? 0 })
      expect(port.port).toBe(asked[0]?.from.port)
    }
  })

  it('may hold what cannot be probed, beside what can', async () => {
    await using proxy = await startUdpProxy()
    const proxies = [
      { id: 'px1', uri: 'sip:127.0.0.1;transport=ws' },
      { id: 'px2', uri: proxy.uri },
    ]
    await using loop = await startLoop(bus, 'mixed', proxies, { intervalMs: 100 })
    await waitFor(() => loop.samples.length >= 3, 3000)
    expect(new Set(loop.samples.map((sample) => sample.proxy))).toEqual(new Set(['px2']))
  })

  it('keeps what was learnt of a proxy that moves', async () => {
    await using before = await startUdpProxy(({ answer }) => answer(200, [['SIP-Load', 'active=40']]))
    await using after = await startUdpProxy(({ answer }) => answer(200, [['SIP-Load', 'active=10']]))
    await using loop = await startLoop(bus, 'moved', [{ id: 'px1', uri: before.uri }], { intervalMs: 100 })
    await waitFor(() => loop.loads.length >= 1, 3000)
    loop.list([{ id: 'px1', uri: after.uri }])
    const moved = await waitFor(() => loop.loads.find(({ details }) => details?.['active'] === 10), 3000)
    expect(moved.load).toBe(0.125)
  })
})

describe('a proxy with a name', () => {
  it('is not probed while the name means nothing, and then is', async () => {
    await using proxy = await startUdpProxy()
    let isKnown = false
    const addressOf = () => (isKnown ? '127.0.0.1' : undefined)
    const uri = `sip:px1:${proxy.port}`
    await using loop = await startLoop(bus, 'named', [{ id: 'px1', uri }], { intervalMs: 100 }, { addressOf })
    await sleep(500)
    expect(loop.samples).toEqual([])
    isKnown = true
    await waitFor(() => loop.samples.some(({ outcome }) => outcome === 'answered'), 10_000)
  })

  it('is followed to another address when it falls silent', async () => {
    await using first = await startUdpProxy()
    await using second = await startUdpProxy(undefined, { address: '127.0.0.2', port: first.port })
    let address = '127.0.0.1'
    const addressOf = () => address
    const uri = `sip:px1:${first.port}`
    await using loop = await startLoop(bus, 'renamed', [{ id: 'px1', uri }], { intervalMs: 100 }, { addressOf })
    await waitFor(() => loop.samples.length >= 1, 3000)
    expect(second.asked).toEqual([])
    address = '127.0.0.2'
    await first.close()
    await waitFor(() => second.asked.length >= 1 && loop.samples.at(-1)?.outcome === 'answered', 5000)
  })
})

it('new settings hold from the next probe on', async () => {
  await using proxy = await startUdpProxy()
  await using loop = await startLoop(bus, 'reloaded', [{ id: 'px1', uri: proxy.uri }], { intervalMs: 1000 })
  await waitFor(() => loop.samples.length === 1, 3000)
  loop.configure({ intervalMs: 100, from: 'sip:watch@example.com' })
  await waitFor(() => loop.samples.length >= 6, 3000)
  expect((loop.samples[5]?.at ?? Infinity) - (loop.samples[1]?.at ?? 0)).toBeLessThan(1000)
  expect(proxy.asked.at(-1)?.request).toMatchObject({ from: { uri: 'sip:watch@example.com' } })
})
