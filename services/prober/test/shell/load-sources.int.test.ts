import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Bus } from '@siplb/bus'
import { startNats, waitFor, type TestNats } from '@siplb/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startEventSocket } from '../event-socket-server.ts'
import { connectBus, startLoop, type LoopUnderTest } from '../loop-under-test.ts'
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

const common = { intervalMs: 100, expiryMs: 4000 }

async function failures(loop: LoopUnderTest, source: string): Promise<number> {
  const line = (await loop.registry.metrics())
    .split('\n')
    .find((one) => one.startsWith('siplb_load_failures_total') && one.includes(`source="${source}"`))
  return Number(line?.split(' ').at(-1) ?? 0)
}

async function startPage(text: () => string) {
  const server = createServer((_, response) => void response.end(text()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  const stop = async () => {
    server.closeAllConnections()
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
  return { url: `http://127.0.0.1:${address.port}/metrics`, [Symbol.asyncDispose]: stop }
}

describe('a load in Prometheus text', () => {
  it('is scraped, with its labels and its capacity, and never 0 for what cannot be read', async () => {
    await using proxy = await startUdpProxy()
    let text = 'calls{p="a"} 30\ncalls{p="b"} 5\ncalls_max 40\n'
    await using page = await startPage(() => text)
    const load = { source: 'prometheus', url: page.url, metric: 'calls{p="a"}', capacityMetric: 'calls_max' } as const
    await using loop = await startLoop(bus, 'prom', [{ id: 'px1', uri: proxy.uri, load: { ...load, ...common } }])
    expect(await waitFor(() => loop.loads[0], 3000)).toMatchObject({
      load: 0.75,
      source: 'prometheus',
      expiresInMs: 4000,
      details: { active: 30, capacity: 40 },
    })
    text = 'calls{p="a"} NaN\ncalls_max 40\n'
    await waitFor(async () => (await failures(loop, 'prometheus')) >= 2, 3000)
    expect(new Set(loop.loads.map((one) => one.load))).toEqual(new Set([0.75]))
    text = `${'# '.padEnd(1_100_000, 'x')}\ncalls{p="a"} 1\ncalls_max 40\n`
    const before = await failures(loop, 'prometheus')
    await waitFor(async () => (await failures(loop, 'prometheus')) >= before + 2, 5000)
    expect(new Set(loop.loads.map((one) => one.load))).toEqual(new Set([0.75]))
  })
})

describe('the load of a FreeSWITCH', () => {
  const freeswitch = (url: string, more = {}) => ({ source: 'freeswitch', url, ...common, ...more }) as const

  it('is asked for on one connection, and heard by heartbeat', async () => {
    await using proxy = await startUdpProxy()
    await using server = await startEventSocket()
    server.setSessions(250, 90)
    await using loop = await startLoop(bus, 'fs', [{ id: 'px1', uri: proxy.uri, load: freeswitch(server.url) }])
    await waitFor(() => loop.loads.length >= 3, 3000)
    expect(loop.loads.at(-1)).toMatchObject({
      load: 0.25,
      source: 'freeswitch',
      details: { active: 250, capacity: 1000, 'cpu-busy': 0.1 },
    })
    server.setSessions(250, 40)
    await waitFor(() => loop.loads.at(-1)?.load === 0.6, 3000)
    server.heartbeat(777)
    await waitFor(() => loop.loads.some(({ load }) => load === 0.777), 3000)
    expect(server.connections).toBe(1)
    expect(server.commands.slice(0, 2)).toEqual(['auth ClueCon', 'event plain HEARTBEAT'])
  })

  it('takes the password of a file, and the capacity of the operator', async () => {
    await using folder = await mkdtempDisposable(join(tmpdir(), 'siplb-password-'))
    const passwordFile = join(folder.path, 'password')
    await writeFile(passwordFile, 'secret\n')
    await using proxy = await startUdpProxy()
    await using server = await startEventSocket({ password: 'secret' })
    server.setSessions(10)
    const load = freeswitch(server.url, { passwordFile, capacity: 20 })
    await using loop = await startLoop(bus, 'fs-password', [{ id: 'px1', uri: proxy.uri, load }])
    expect(await waitFor(() => loop.loads[0], 3000)).toMatchObject({ load: 0.5 })
  })

  it('with a wrong password is a failure, and asked again after a while only', async () => {
    await using proxy = await startUdpProxy()
    await using server = await startEventSocket({ password: 'other' })
    await using loop = await startLoop(bus, 'fs-wrong', [{ id: 'px1', uri: proxy.uri, load: freeswitch(server.url) }])
    await waitFor(async () => (await failures(loop, 'freeswitch')) >= 5, 5000)
    expect(loop.loads).toEqual([])
    // At once and a second later.
    expect(server.connections).toBeLessThanOrEqual(2)
  })

  it('is read again when the connection was lost, or answers nothing any more', async () => {
    await using proxy = await startUdpProxy()
    await using server = await startEventSocket()
    await using loop = await startLoop(bus, 'fs-again', [{ id: 'px1', uri: proxy.uri, load: freeswitch(server.url) }])
    await waitFor(() => loop.loads.length >= 1, 3000)
    server.drop()
    server.setSessions(100)
    await waitFor(() => loop.loads.at(-1)?.load === 0.1, 5000)
    server.setAnswering(false)
    const reported = loop.loads.length
    const failed = await failures(loop, 'freeswitch')
    await waitFor(async () => (await failures(loop, 'freeswitch')) >= failed + 5, 5000)
    expect(loop.loads.length).toBeLessThanOrEqual(reported + 1)
    server.setAnswering(true)
    server.setSessions(200)
    await waitFor(() => loop.loads.at(-1)?.load === 0.2, 8000)
    expect(server.connections).toBeGreaterThanOrEqual(3)
  })

  it('is asked no more when the proxy is', async () => {
    await using proxy = await startUdpProxy()
    await using server = await startEventSocket()
    await using loop = await startLoop(bus, 'fs-gone', [{ id: 'px1', uri: proxy.uri, load: freeswitch(server.url) }])
    await waitFor(() => loop.loads.length >= 1, 3000)
    loop.list([])
    await waitFor(() => loop.loads.length > 0, 100)
    const asked = server.commands.length
    server.drop()
    await new Promise((resolve) => setTimeout(resolve, 1300))
    expect(server.commands.length - asked).toBeLessThanOrEqual(1)
    expect(server.connections).toBe(1)
  })
})
