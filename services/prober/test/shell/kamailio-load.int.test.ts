import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus } from '@siplb/bus'
import { startNats, waitFor, type TestNats } from '@siplb/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectBus, startLoop } from '../loop-under-test.ts'
import { startUdpProxy } from '../udp-proxy.ts'

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

type Answer = (response: ServerResponse, body: string, request: IncomingMessage) => void

async function startRpc(answer: Answer, { host = '127.0.0.1', port = 0 } = {}) {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => answer(response, body, request))
  })
  await new Promise<void>((resolve) => server.listen(port, host, resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  const stop = async () => {
    server.closeAllConnections()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return { url: `http://${host}:${address.port}/RPC`, [Symbol.asyncDispose]: stop }
}

const figures = (active: number) =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, result: { 'tmx.active_transactions': active, 'tmx.inuse_transactions': 9 } })

function kamailio(url: string, intervalMs = 100) {
  return { source: 'kamailio', url, intervalMs, expiryMs: 4000, capacity: 20 } as const
}

describe('a load that is asked for by JSON-RPC', () => {
  it('is published with its figures, and as often as its source says', async () => {
    await using proxy = await startUdpProxy()
    const questions: { body: unknown; method: string | undefined; at: number }[] = []
    await using rpc = await startRpc((response, body, { method }) => {
      questions.push({ body: JSON.parse(body), method, at: performance.now() })
      response.end(figures(5))
    })
    await using loop = await startLoop(bus, 'rpc', [{ id: 'px1', uri: proxy.uri, load: kamailio(rpc.url, 200) }], {
      intervalMs: 60_000,
    })
    await waitFor(() => loop.loads.length >= 4, 5000)
    expect(loop.loads[0]).toMatchObject({
      proxy: 'px1',
      load: 0.25,
      source: 'kamailio',
      expiresInMs: 4000,
      details: { active: 5, inuse: 9, capacity: 20 },
    })
    expect(questions[0]?.method).toBe('POST')
    expect(questions[0]?.body).toMatchObject({ jsonrpc: '2.0', method: 'stats.fetchn' })
    expect((questions[3]?.at ?? 0) - (questions[0]?.at ?? 0)).toBeGreaterThan(500)
  })

  it('may be served beside SIP, on port 5060', async () => {
    await using proxy = await startUdpProxy()
    await using rpc = await startRpc((response) => response.end(figures(5)), { host: '127.0.0.60', port: 5060 })
    await using loop = await startLoop(bus, 'sip-port', [{ id: 'px1', uri: proxy.uri, load: kamailio(rpc.url) }])
    expect(await waitFor(() => loop.loads[0], 3000)).toMatchObject({ load: 0.25 })
  })

  it('is asked for again only when the last question is over', async () => {
    await using proxy = await startUdpProxy()
    let open = 0
    let most = 0
    await using rpc = await startRpc((response) => {
      most = Math.max(most, ++open)
      setTimeout(() => {
        open--
        response.end(figures(5))
      }, 90)
    })
    await using loop = await startLoop(bus, 'overlap', [{ id: 'px1', uri: proxy.uri, load: kamailio(rpc.url) }])
    await waitFor(() => loop.loads.length >= 3, 5000)
    expect(most).toBe(1)
  })
})

describe('a load source', () => {
  it.each<[string, (response: ServerResponse) => void]>([
    ['that never answers', () => {}],
    ['that answers with an error', (response) => response.writeHead(500).end(figures(5))],
    ['that sends without end', (response) => response.end(figures(5) + ' '.repeat(100_000))],
    ['that is another program', (response) => response.end('<html>')],
    ['that says where else to ask', (response) => response.writeHead(302, { location: '/' }).end(figures(5))],
    ['that hangs up', (response) => response.destroy()],
  ])('%s gives no load, is counted, and does not stop the probes', async (name, answer) => {
    await using proxy = await startUdpProxy()
    await using rpc = await startRpc(answer)
    const pool = name.replaceAll(' ', '-')
    await using loop = await startLoop(bus, pool, [{ id: 'px1', uri: proxy.uri, load: kamailio(rpc.url) }])
    const failures = async () =>
      /siplb_load_failures_total\{.*source="kamailio"\} [2-9]/.test(await loop.registry.metrics())
    await waitFor(failures, 5000)
    expect(loop.loads).toEqual([])
    await waitFor(() => loop.samples.length >= 2, 3000)
  })

  it('that comes back is read again', async () => {
    await using proxy = await startUdpProxy()
    let isBroken = true
    await using rpc = await startRpc((response) => (isBroken ? response.destroy() : response.end(figures(5))))
    await using loop = await startLoop(bus, 'back', [{ id: 'px1', uri: proxy.uri, load: kamailio(rpc.url) }])
    await sleep(300)
    expect(loop.loads).toEqual([])
    isBroken = false
    expect(await waitFor(() => loop.loads[0], 3000)).toMatchObject({ load: 0.25 })
  })
})
