import { mkdtempDisposable, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus } from '@siplb/bus'
import { leasesTable, proxiesTable, proxyRecord, responseTimeTaken, type ProxyRecord } from '@siplb/contracts'
import { spawnService, startNats, waitFor, type ServiceProcess, type TestNats } from '@siplb/testkit'
import { expect, it } from 'vitest'
import { connectBus } from './loop-under-test.ts'
import { startUdpProxy, type UdpProxy } from './udp-proxy.ts'

interface Stage extends AsyncDisposable {
  readonly nats: TestNats
  readonly bus: Bus
  readonly proxies: readonly UdpProxy[]
  readonly config: object
}

/** A bus with its tables, and proxies that answer. */
async function setStage(count: number, { isWithTables = true } = {}): Promise<Stage> {
  const nats = await startNats()
  const bus = await connectBus(nats.url)
  if (isWithTables) {
    await bus.table(proxiesTable, 'owner').entries()
    await bus.table(leasesTable, 'owner').entries()
  }
  const proxies = await Promise.all(Array.from({ length: count }, async () => startUdpProxy()))
  return {
    nats,
    bus,
    proxies,
    config: {
      nats: { servers: [nats.url] },
      http: { port: 0 },
      pools: { default: { proxies: proxies.map(({ uri }, i) => ({ id: `px${i}`, uri })) } },
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(proxies.map(async (proxy) => proxy.close()))
      await bus.close()
      await nats.stop()
    },
  }
}

async function readyz(prober: ServiceProcess): Promise<Record<string, unknown>> {
  const response = await fetch(`http://127.0.0.1:${prober.httpPort}/readyz`)
  const body: unknown = await response.json()
  return { status: response.status, ...(typeof body === 'object' ? body : {}) }
}

const sees = (prober: ServiceProcess, probers: number) =>
  waitFor(async () => (await readyz(prober))['probers']?.toString().split(',').length === probers, 10_000)

/** Source ports of the probes that a proxy got since `since`. */
const sources = (proxy: UdpProxy, since: number) =>
  new Set(proxy.asked.filter(({ at }) => at >= since).map(({ from }) => from.port))

function row(uri: string, id: string, changes: Partial<ProxyRecord> = {}): ProxyRecord {
  const common = { pool: 'default', id, uri, weight: 100, tier: 1, origin: 'config', adminState: 'enabled' }
  return proxyRecord.parse({ ...common, actor: 'test', ...changes })
}

it('two probers share the proxies, and when one is killed the other takes over within 5 s', async () => {
  await using stage = await setStage(10)
  const { config, proxies } = stage
  await using first = await spawnService('prober', { config })
  await using second = await spawnService('prober', { config })
  await sees(first, 2)
  await sees(second, 2)

  // A probe that was on its way when the shares were settled.
  await sleep(300)
  const since = performance.now()
  await sleep(5000)
  const probers = await Promise.all([readyz(first), readyz(second)])
  expect(probers.map(({ probed }) => probed).reduce((sum, probed) => Number(sum) + Number(probed), 0)).toBe(10)
  for (const proxy of proxies) {
    const probes = proxy.asked.filter(({ at }) => at >= since)
    // Five intervals, and jitter at either end; by one prober, whose socket for the proxy stays the same.
    expect(probes.length).toBeGreaterThanOrEqual(4)
    expect(probes.length).toBeLessThanOrEqual(6)
    expect(sources(proxy, since).size).toBe(1)
  }

  const before = proxies.map((proxy) => [...sources(proxy, since)][0])
  const orphans = Number(probers[0]?.['probed'])
  expect(orphans).toBeGreaterThan(0)
  first.kill('SIGKILL')
  const killedAt = performance.now()
  const movedAll = () => proxies.filter((proxy, i) => proxy.asked.at(-1)?.from.port !== before[i]).length === orphans
  await waitFor(movedAll, 10_000, 'all orphans to be probed by the other')
  expect(performance.now() - killedAt).toBeLessThan(5000)
})

it('with two vantage points two probers look at each proxy, also when a third one starts', async () => {
  await using stage = await setStage(6)
  const config = { ...stage.config, probe: { intervalMs: 500, vantagePoints: 2 } }
  await using first = await spawnService('prober', { config })
  await using second = await spawnService('prober', { config })
  for (const prober of [first, second]) await sees(prober, 2)
  await using third = await spawnService('prober', { config })
  for (const prober of [first, second, third]) await sees(prober, 3)
  await sleep(600)
  const since = performance.now()
  await sleep(2500)
  for (const proxy of stage.proxies) {
    const probes = proxy.asked.filter(({ at }) => at >= since)
    // Five intervals of two, and jitter at either end of each.
    expect(probes.length).toBeGreaterThanOrEqual(8)
    expect(probes.length).toBeLessThanOrEqual(12)
    expect(sources(proxy, since).size).toBe(2)
  }
  const probed = await Promise.all(
    [first, second, third].map(async (prober) => Number((await readyz(prober))['probed'])),
  )
  expect(probed.reduce((sum, one) => sum + one, 0)).toBe(12)
  expect(probed[2]).toBeGreaterThan(0)
})

it('a prober that is stopped hands its proxies over at once and leaves no lease', async () => {
  await using stage = await setStage(6)
  const { config, bus } = stage
  await using first = await spawnService('prober', { config })
  await using second = await spawnService('prober', { config })
  await sees(second, 2)
  expect(await first.stop()).toBe(0)
  const stoppedAt = performance.now()
  await waitFor(async () => (await readyz(second))['probed'] === 6, 5000)
  // Sooner than a prober is taken for dead.
  expect(performance.now() - stoppedAt).toBeLessThan(2000)
  // A key that is written anew while the store lists its keys may be missing from that list.
  const leases = bus.table(leasesTable, 'user')
  await waitFor(async () => (await leases.entries()).length === 1, 1000, 'one lease to be left')
})

it('the proxies are those of the store, once it has them', async () => {
  await using stage = await setStage(3, { isWithTables: false })
  const { config, bus } = stage
  const [inFileAndStore, onlyInFile, onlyInStore] = stage.proxies
  if (!inFileAndStore || !onlyInFile || !onlyInStore) throw new Error('three proxies are wanted')
  const pools = {
    default: {
      proxies: [
        { id: 'px0', uri: inFileAndStore.uri },
        { id: 'px1', uri: onlyInFile.uri },
      ],
    },
  }
  await using _prober = await spawnService('prober', { config: { ...config, pools, probe: { intervalMs: 200 } } })
  await waitFor(() => inFileAndStore.asked.length > 0 && onlyInFile.asked.length > 0, 5000)

  const table = bus.table(proxiesTable, 'owner')
  await table.put('default.px0', row(inFileAndStore.uri, 'px0'))
  await table.put('default.px2', row(onlyInStore.uri, 'px2', { adminState: 'draining' }))
  await waitFor(() => onlyInStore.asked.length > 0, 5000)
  const counted = onlyInFile.asked.length
  await table.put('default.px2', row(onlyInStore.uri, 'px2', { adminState: 'disabled' }))
  await sleep(600)
  const disabled = onlyInStore.asked.length
  const still = inFileAndStore.asked.length
  await sleep(600)
  expect(onlyInFile.asked.length).toBe(counted)
  expect(onlyInStore.asked.length).toBe(disabled)
  expect(inFileAndStore.asked.length).toBeGreaterThan(still)
})

it('with the bus gone it goes on probing what it knew, and publishes again when the bus is back', async () => {
  await using stage = await setStage(1)
  const { config, bus, nats } = stage
  const [proxy] = stage.proxies
  if (proxy === undefined) throw new Error('a proxy is wanted')
  await bus.table(proxiesTable, 'owner').put('default.other', row(proxy.uri, 'other'))
  await using prober = await spawnService('prober', { config: { ...config, probe: { intervalMs: 200 } } })
  const heard: string[] = []
  bus.subscribe(responseTimeTaken, { pool: 'default' }, ({ data }) => heard.push(data.proxy))
  await waitFor(() => heard.includes('other'), 5000)

  await nats.kill()
  await waitFor(async () => String((await readyz(prober))['bus']).startsWith('gone'), 5000)
  const asked = proxy.asked.length
  await waitFor(() => proxy.asked.length >= asked + 5, 5000)
  expect(await readyz(prober)).toMatchObject({ status: 200, proxies: 1, probed: 1 })

  await nats.restart()
  heard.length = 0
  await waitFor(() => heard.includes('other'), 10_000)
})

it('starts without a bus, and takes a changed file on SIGHUP', async () => {
  await using proxy = await startUdpProxy()
  await using added = await startUdpProxy()
  await using folder = await mkdtempDisposable(join(tmpdir(), 'siplb-prober-'))
  const file = join(folder.path, 'siplb.json')
  const write = (intervalMs: number, proxies: readonly UdpProxy[]) => {
    const declared = proxies.map(({ uri }, i) => ({ id: `px${i}`, uri }))
    const nats = { servers: ['nats://127.0.0.1:1'] }
    return writeFile(
      file,
      JSON.stringify({ nats, http: { port: 0 }, probe: { intervalMs }, pools: { default: { proxies: declared } } }),
    )
  }
  await write(3_600_000, [proxy])
  await using prober = await spawnService('prober', { configFile: file })
  const isProbing = async () => (await readyz(prober))['probed'] === 1
  await waitFor(isProbing, 5000)
  expect(await readyz(prober)).toMatchObject({ status: 200, proxies: 1, bus: 'gone: nothing can be published' })
  await write(100, [proxy, added])
  prober.kill('SIGHUP')
  await waitFor(() => proxy.asked.length >= 3 && added.asked.length >= 3, 5000)
})
