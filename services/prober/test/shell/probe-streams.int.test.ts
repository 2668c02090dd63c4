import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus } from '@siplb/bus'
import { HeaderId } from '@siplb/sip'
import { freePort, makeCertificate, startNats, waitFor, type TestNats } from '@siplb/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectBus, startLoop, type Surroundings } from '../loop-under-test.ts'
import { startStreamProxy } from '../stream-proxy.ts'

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

const byTcp = (port: number) => `sip:127.0.0.1:${port};transport=tcp`
const every = { intervalMs: 100, timeoutMs: 1000 }

describe('a proxy by TCP', () => {
  it('is asked by one connection, which Via and OPTIONS tell', async () => {
    await using proxy = await startStreamProxy()
    const uri = byTcp(proxy.port)
    await using loop = await startLoop(bus, 'tcp', [{ id: 'px1', uri }], every)
    await waitFor(() => loop.samples.length >= 10, 5000)
    for (const sample of loop.samples) expect(sample).toMatchObject({ outcome: 'answered', status: 200, attempt: 1 })
    expect(proxy.connections).toHaveLength(1)
    const { port } = proxy.connections[0]?.remote ?? {}
    const [first] = proxy.asked
    expect(first?.request.requestUri).toBe(uri)
    expect(first?.request.values(HeaderId.Via)[0]).toMatch(`SIP/2.0/TCP 127.0.0.1:${port};branch=`)
  })

  it('that does not listen is known to be refused at once, and to answer as soon as it does', async () => {
    const port = await freePort('tcp')
    const settings = { intervalMs: 200, timeoutMs: 10_000 }
    await using loop = await startLoop(bus, 'tcp-refused', [{ id: 'px1', uri: byTcp(port) }], settings)
    // Long before a probe times out.
    await waitFor(() => loop.samples.length >= 3, 5000)
    for (const sample of loop.samples) expect(sample).toMatchObject({ outcome: 'refused' })
    await using proxy = await startStreamProxy({ port })
    await waitFor(() => loop.samples.at(-1)?.outcome === 'answered', 5000)
    expect(proxy.connections).toHaveLength(1)
  })

  it('that closes between probes is asked by a new connection, and no probe is lost', async () => {
    await using proxy = await startStreamProxy({}, ({ answer, connection }) => {
      answer()
      void connection.close()
    })
    await using loop = await startLoop(bus, 'tcp-closing', [{ id: 'px1', uri: byTcp(proxy.port) }], every)
    await waitFor(() => loop.samples.length >= 5, 5000)
    expect(new Set(loop.samples.map(({ outcome }) => outcome))).toEqual(new Set(['answered']))
    expect(proxy.connections.length).toBeGreaterThanOrEqual(5)
  })

  it('that breaks the connection instead of an answer has lost the probe at once', async () => {
    await using proxy = await startStreamProxy({}, ({ connection }) => connection.destroy())
    const settings = { intervalMs: 2000, timeoutMs: 10_000 }
    await using loop = await startLoop(bus, 'tcp-breaking', [{ id: 'px1', uri: byTcp(proxy.port) }], settings)
    await waitFor(() => loop.samples.length >= 4, 5000)
    for (const sample of loop.samples) expect(sample).toMatchObject({ outcome: 'lost' })
    // A loss is followed up at once here too.
    expect(loop.samples.slice(0, 4).map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4])
  })

  it('that is silent loses its probes, and is asked by a new connection, since the old one may be dead', async () => {
    let isSilent = true
    await using proxy = await startStreamProxy({}, ({ answer }) => {
      if (!isSilent) answer()
    })
    const settings = { intervalMs: 200, timeoutMs: 100 }
    await using loop = await startLoop(bus, 'tcp-silent', [{ id: 'px1', uri: byTcp(proxy.port) }], settings)
    await waitFor(() => proxy.connections.length >= 2, 10_000)
    for (const sample of loop.samples) expect(sample).toMatchObject({ outcome: 'lost' })
    await waitFor(() => proxy.connections[0]?.isOpen === false, 5000)
    isSilent = false
    await waitFor(() => loop.samples.at(-1)?.outcome === 'answered', 5000)
  })

  it('is called by canary calls that are hung up, each message sent once', async () => {
    await using proxy = await startStreamProxy({}, ({ request, answer }) => {
      if (request.method === 'ACK') return
      // By UDP such a BYE would be sent again after 500 ms.
      const laterMs = request.method === 'BYE' ? 800 : 0
      setTimeout(answer, laterMs, 200, [['Contact', '<sip:echo@127.0.0.1;transport=tcp>']])
    })
    const settings = { method: 'INVITE', intervalMs: 200 } as const
    const uri = byTcp(proxy.port)
    await using loop = await startLoop(bus, 'tcp-calls', [{ id: 'px1', uri }], settings)
    await waitFor(() => proxy.asked.filter(({ request }) => request.method === 'BYE').length >= 2, 5000)
    loop.configure({ method: 'OPTIONS', intervalMs: 60_000 })
    await sleep(2000)
    const methods = proxy.asked.map(({ request }) => request.method).filter((method) => method !== 'OPTIONS')
    const count = (method: string) => methods.filter((one) => one === method).length
    expect(count('ACK')).toBe(count('INVITE'))
    expect(count('BYE')).toBe(count('INVITE'))
    for (const { request } of proxy.asked) expect(request.topVia.transport.toUpperCase()).toBe('TCP')
    expect(proxy.connections).toHaveLength(1)
  })
})

it('a proxy whose domain names two places is asked at the first, and at the other while that is gone', async () => {
  const [first, second] = [await startStreamProxy(), await startStreamProxy()]
  const service = (priority: number, port: number) =>
    ({ type: 'service', priority, weight: 1, port, target: 'px1.example.com' }) as const
  const zone = {
    'SRV _sip._tcp.example.com': [service(1, first.port), service(2, second.port)],
    'A px1.example.com': [{ type: 'address', address: '127.0.0.1' } as const],
  }
  const surroundings: Surroundings = {
    ask: async ({ type, name }) => {
      const records = Object.entries(zone).find(([question]) => question === `${type} ${name}`)?.[1]
      return records === undefined ? { kind: 'nothing', code: 'ENODATA' } : { kind: 'records', records, ttlMs: 60_000 }
    },
  }
  const proxies = [{ id: 'px1', uri: 'sip:example.com' }]
  await using loop = await startLoop(bus, 'tcp-places', proxies, every, surroundings)
  await waitFor(() => loop.samples.length >= 3, 5000)
  expect(first.asked.length).toBeGreaterThanOrEqual(3)
  expect(second.asked).toEqual([])
  await first.close()
  await waitFor(() => loop.samples.at(-1)?.outcome === 'refused', 5000)
  await waitFor(() => loop.samples.at(-1)?.outcome === 'answered', 10_000)
  expect(second.asked.length).toBeGreaterThanOrEqual(1)
  await second.close()
})

describe('a proxy by TLS', () => {
  it('is asked when its certificate verifies, by its name, and is lost when it does not', async () => {
    await using ca = await makeCertificate({ names: ['siplb test authority'] })
    await using own = await makeCertificate({ names: ['px1', 'siplb'], ca })
    await using proxy = await startStreamProxy({ tls: own })
    const proxies = [
      { id: 'fits', uri: `sips:px1:${proxy.port}` },
      { id: 'fits-too', uri: `sip:px1:${proxy.port};transport=tls` },
      { id: 'other-name', uri: `sips:px2:${proxy.port}` },
    ]
    const surroundings = { addressOf: () => '127.0.0.1', tls: { proxyCa: ca.certPath } }
    await using loop = await startLoop(bus, 'tls', proxies, every, surroundings)
    const outcomes = (id: string) =>
      new Set(loop.samples.filter(({ proxy: of }) => of === id).map(({ outcome }) => outcome))
    await waitFor(() => proxies.every(({ id }) => loop.samples.filter(({ proxy: of }) => of === id).length >= 3), 5000)
    expect(outcomes('fits')).toEqual(new Set(['answered']))
    expect(outcomes('fits-too')).toEqual(new Set(['answered']))
    expect(outcomes('other-name')).toEqual(new Set(['lost']))
    expect(proxy.asked[0]?.request.values(HeaderId.Via)[0]).toMatch('SIP/2.0/TLS 127.0.0.1:')
  })

  it('is not verified where verifyProxies is off', async () => {
    await using own = await makeCertificate({ names: ['somebody'] })
    await using proxy = await startStreamProxy({ tls: own })
    const uri = `sip:127.0.0.1:${proxy.port};transport=tls`
    await using trusting = await startLoop(bus, 'tls-off', [{ id: 'px1', uri }], every, {
      tls: { verifyProxies: false },
    })
    await waitFor(() => trusting.samples[0]?.outcome === 'answered', 5000)
    await using strict = await startLoop(bus, 'tls-on', [{ id: 'px1', uri }], every)
    expect(await waitFor(() => strict.samples[0], 5000)).toMatchObject({ outcome: 'lost' })
  })

  it('that wants a certificate of ours is shown the one of the configuration', async () => {
    await using ca = await makeCertificate({ names: ['siplb test authority'] })
    await using server = await makeCertificate({ names: ['px1'], ca })
    await using ours = await makeCertificate({ names: ['lb'], ca })
    await using proxy = await startStreamProxy({ tls: { ...server, ca: ca.cert, requestCert: true } })
    const uri = `sips:px1:${proxy.port}`
    const addressOf = () => '127.0.0.1'
    const withCertificate = { proxyCa: ca.certPath, cert: ours.certPath, key: ours.keyPath }
    await using loop = await startLoop(bus, 'mtls', [{ id: 'px1', uri }], every, { addressOf, tls: withCertificate })
    await waitFor(() => loop.samples.some(({ outcome }) => outcome === 'answered'), 5000)
    const without = { addressOf, tls: { proxyCa: ca.certPath } }
    await using bare = await startLoop(bus, 'mtls-bare', [{ id: 'px1', uri }], every, without)
    await waitFor(() => bare.samples.length >= 3, 5000)
    for (const sample of bare.samples) expect(sample.outcome).toBe('lost')
  })

  it('is only doubted while our own files cannot be read', async () => {
    await using own = await makeCertificate({ names: ['127.0.0.1'] })
    await using proxy = await startStreamProxy({ tls: own })
    const uri = `sips:127.0.0.1:${proxy.port}`
    const tls = { proxyCa: '/nowhere/ca.pem' }
    await using loop = await startLoop(bus, 'tls-files', [{ id: 'px1', uri }], every, { tls })
    await waitFor(() => loop.samples.length >= 2, 5000)
    for (const sample of loop.samples) expect(sample).toMatchObject({ outcome: 'lost', doubtful: true })
  })
})
