import { leasesTable, responseTime, responseTimeTaken, weightsTable, type WeightTable } from '@siplb/contracts'
import { spawnService, waitFor } from '@siplb/testkit'
import { describe, expect, it } from 'vitest'
import { poolOf, startSite, startWeigher, type Site } from './weigher-under-test.ts'

const pools = { default: poolOf('px1', 'px2', 'px3') }

/** Tells that px3 is slow, every 50 ms. */
function probing(site: Site): Disposable {
  const tell = () => {
    const times = { px1: 4, px2: 4, px3: 40 }
    const samples = Object.entries(times).map(([proxy, responseTimeMs]) =>
      responseTime.parse({ proxy, responseTimeMs }),
    )
    site.bus.publish(responseTimeTaken, { pool: 'default' }, samples)
  }
  const timer = setInterval(tell, 50)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

function expectAlike(a: WeightTable, b: WeightTable): void {
  expect(b.proxies.map(({ id }) => id)).toEqual(a.proxies.map(({ id }) => id))
  for (const [i, { weight }] of a.proxies.entries()) {
    expect(Math.abs((b.proxies[i]?.weight ?? Number.NaN) - weight)).toBeLessThanOrEqual(0.05 * weight)
  }
}

/** Never two tables under one (epoch, seq), and never one behind another. */
function expectOrder(tables: readonly WeightTable[]): void {
  const places = tables.map(({ epoch, seq }) => epoch * 1e6 + seq)
  expect(places).toEqual([...new Set(places)].toSorted((a, b) => a - b))
}

describe('replicas of the weigher', () => {
  it('have one writer per pool', async () => {
    await using site = await startSite()
    await using first = await startWeigher(site, { pools }, 'w1')
    await site.table()
    await using second = await startWeigher(site, { pools }, 'w2')
    await waitFor(() => second.pools()['default'] !== undefined, 3000)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect([first.pools()['default'], second.pools()['default']]).toMatchObject([
      { writer: true },
      { writer: false, epoch: 1, seq: 1 },
    ])
    expect(site.tables).toHaveLength(1)
  })

  it(
    'take over from a writer that is killed, within five seconds and with the same weights',
    { timeout: 40_000 },
    async () => {
      await using site = await startSite()
      await using writer = await spawnService('weigher', {
        config: { nats: { servers: [site.nats.url] }, http: { port: 0 }, instance: 'w1', pools },
      })
      await site.table()
      await using _standby = await startWeigher(site, { pools }, 'w2')
      using _probes = probing(site)
      await site.until('px3', ({ weight }) => weight < 50)
      await new Promise((resolve) => setTimeout(resolve, 3000))
      const before = await site.table()
      expect(before.writer).toBe('w1')
      writer.kill('SIGKILL')
      const after = await waitFor(
        () => site.tables.find((table) => table.writer === 'w2'),
        5000,
        'the first table of the standby',
      )
      expect(after).toMatchObject({ epoch: before.epoch + 1, seq: 1, prevSeq: 0 })
      expectAlike(before, after)
      await new Promise((resolve) => setTimeout(resolve, 1500))
      expectAlike(before, await site.table())
      expectOrder(site.tables)
    },
  )

  it('answer with the figures of now, also those that do not write', async () => {
    await using site = await startSite()
    await using _standby = await startWeigher(site, { pools }, 'w1')
    const table = await site.table()
    const leases = site.bus.table(leasesTable, 'user')
    let beat = 0
    const hold = () => leases.put('weigher.default', { holder: 'w7', epoch: 2, beat: (beat += 1) })
    await hold()
    const holding = setInterval(() => void hold(), 500)
    await site.bus.table(weightsTable, 'user').put('default', { ...table, epoch: 2, seq: 1, prevSeq: 0, writer: 'w7' })
    await waitFor(async () => (await site.table()).writer === 'w7', 3000)
    using _probes = probing(site)
    const figures = async () => (await site.table()).proxies.map(({ signals }) => signals.responseTimeMs)
    await waitFor(async () => (await figures()).join() === '4,4,40', 3000)
    const shown = await site.table()
    clearInterval(holding)
    expect(shown).toMatchObject({ writer: 'w7', epoch: 2, seq: 1 })
    expect(shown.proxies.map(({ weight }) => weight)).toEqual([100, 100, 100])
  })

  it('take over at once from a writer that is stopped', async () => {
    await using site = await startSite()
    await using first = await startWeigher(site, { pools }, 'w1')
    await site.table()
    await using _second = await startWeigher(site, { pools }, 'w2')
    await new Promise((resolve) => setTimeout(resolve, 1000))
    await first.stop()
    await waitFor(() => site.tables.some((table) => table.writer === 'w2'), 2000, 'the first table of the standby')
  })

  it('go on from the store when the only one is started anew, before any probe tells', async () => {
    await using site = await startSite()
    const first = await startWeigher(site, { pools }, 'w1')
    {
      using _probes = probing(site)
      await site.until('px3', ({ weight }) => weight < 50)
      await new Promise((resolve) => setTimeout(resolve, 1500))
    }
    await first.stop()
    const before = site.tables.at(-1)
    if (before === undefined) throw new Error('no table')
    await using _second = await startWeigher(site, { pools }, 'w2')
    const after = await waitFor(() => site.tables.find((table) => table.writer === 'w2'), 3000)
    expectAlike(before, after)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expectAlike(before, await site.table())
  })

  it('share the pools among them', { timeout: 30_000 }, async () => {
    await using site = await startSite()
    const many = Object.fromEntries(
      Array.from({ length: 12 }, (_, i) => [`pool-${i}`, { ...poolOf('px1'), match: { userPrefix: `${i}` } }]),
    )
    await using first = await startWeigher(site, { pools: many }, 'w1')
    await site.table('pool-11')
    await using second = await startWeigher(site, { pools: many }, 'w2')
    const written = (weigher: typeof first) =>
      Object.entries(weigher.pools()).filter(
        ([, pool]) => typeof pool === 'object' && pool !== null && 'writer' in pool && pool.writer === true,
      )
    await waitFor(
      () => written(second).length >= 2 && written(first).length + written(second).length === 12,
      20_000,
      'a fair share',
    )
    expect(written(first).length).toBeGreaterThanOrEqual(2)
    expectOrder(site.tables.filter(({ pool }) => pool === 'pool-3'))
  })

  it('stop writing when another one holds the lease', async () => {
    await using site = await startSite()
    await using weigher = await startWeigher(site, { pools }, 'w1')
    const table = await site.table()
    const leases = site.bus.table(leasesTable, 'user')
    const lease = await leases.get('weigher.default')
    await leases.put('weigher.default', { holder: 'w7', epoch: (lease?.value.epoch ?? 0) + 1, beat: 1 })
    await site.bus.table(weightsTable, 'user').put('default', { ...table, epoch: 2, seq: 1, prevSeq: 0, writer: 'w7' })
    await waitFor(() => weigher.pools()['default'], 100)
    await waitFor(async () => (await site.table()).writer === 'w7', 3000)
    using _probes = probing(site)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    expect(await site.table()).toMatchObject({ writer: 'w7', epoch: 2, seq: 1 })
    // w7 never renews: it is taken for gone.
    await waitFor(async () => (await site.table()).writer === 'w1', 5000)
    expect((await site.table()).epoch).toBe(3)
    expectOrder(site.tables)
  })
})
