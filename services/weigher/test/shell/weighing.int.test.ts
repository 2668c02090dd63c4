import {
  loadReported,
  responseTime,
  responseTimeTaken,
  trafficSeen,
  weightsTable,
  type ProxyTraffic,
  type ResponseTime,
  type WeightRow,
  type WeightTable,
} from '@siplb/contracts'
import { waitFor } from '@siplb/testkit'
import { connect } from 'nats'
import { describe, expect, it } from 'vitest'
import { poolOf, startSite, startWeigher, type Site } from './weigher-under-test.ts'

const pools = { default: poolOf('px1', 'px2', 'px3') }

/** Tells what probes find, every 50 ms, until it is stopped. */
function probing(site: Site, results: Record<string, Partial<ResponseTime>>): Disposable {
  const tell = () => {
    const samples = Object.entries(results).map(([proxy, result]) => responseTime.parse({ proxy, ...result }))
    site.bus.publish(responseTimeTaken, { pool: 'default' }, samples)
  }
  const timer = setInterval(tell, 50)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

function seen(proxy: string, requests: number, more: Partial<ProxyTraffic> = {}): ProxyTraffic {
  const outcomes = {
    redirection: 0,
    refusal: 0,
    cancelled: 0,
    unavailable: 0,
    serverError: 0,
    timeout: 0,
    transportError: 0,
  }
  return {
    proxy,
    requests,
    inFlight: 0,
    work: 0,
    dialogs: 0,
    outcomes: { success: requests, ...outcomes },
    responseTimes: {},
    ...more,
  }
}

describe('a weigher', () => {
  it('begins with the base weights of the file, in the store, as an event and when asked', async () => {
    await using site = await startSite()
    await using weigher = await startWeigher(site, {
      pools: { default: { ...pools.default, policy: 'weighted-random' } },
    })
    const table = await site.table()
    expect(table).toMatchObject({ epoch: 1, seq: 1, prevSeq: 0, writer: 'w1', policy: 'weighted-random', panic: false })
    expect(table.proxies.map(({ id, weight, state }) => [id, weight, state])).toEqual([
      ['px1', 100, 'unknown'],
      ['px2', 100, 'unknown'],
      ['px3', 100, 'unknown'],
    ])
    await waitFor(() => site.tables.length > 0, 2000)
    expect(site.tables[0]).toEqual(table)
    const stored = await site.bus.table(weightsTable, 'user').get('default')
    expect(stored?.value).toEqual(table)
    expect(weigher.isReady()).toBe(true)
    expect(weigher.pools()).toEqual({ default: { writer: true, epoch: 1, seq: 1, proxies: 3 } })
  })

  it('moves weights when response times differ, and says of each change why', async () => {
    await using site = await startSite()
    await using _weigher = await startWeigher(site, { pools })
    await site.table()
    using _probes = probing(site, {
      px1: { responseTimeMs: 4 },
      px2: { responseTimeMs: 4 },
      px3: { responseTimeMs: 90 },
    })
    const slow = await site.until('px3', ({ weight }) => weight < 15)
    expect(slow.weight).toBeGreaterThanOrEqual(2)
    expect(slow.reason).toBe('response time 90 ms, pool 4 ms')
    expect(slow.signals).toMatchObject({ responseTimeMs: 90, poolResponseTimeMs: 4 })
    expect((await site.row('px1')).weight).toBe(100)
    const steps = site.tables.flatMap(({ proxies }) => proxies.filter((row) => row.weight !== row.prevWeight))
    expect(steps.length).toBeGreaterThan(1)
    for (const { id, reason, prevWeight, weight } of steps) {
      expect(id).toBe('px3')
      expect(reason).toMatch(/^response time \d+ ms, pool 4 ms$/)
      expect(weight).toBeLessThan(prevWeight)
    }
  })

  it('counts on from table to table', async () => {
    await using site = await startSite()
    await using _weigher = await startWeigher(site, { pools })
    await site.table()
    using _probes = probing(site, {
      px1: { responseTimeMs: 4 },
      px2: { responseTimeMs: 4 },
      px3: { responseTimeMs: 90 },
    })
    await site.until('px3', ({ weight }) => weight < 15)
    expect(site.tables.map(({ seq }) => seq)).toEqual(site.tables.map((_, i) => i + 1))
    expect(site.tables.map(({ prevSeq }) => prevSeq)).toEqual(site.tables.map((_, i) => i))
  })

  it('follows the load that a program of the user publishes with a plain client', async () => {
    await using site = await startSite()
    await using _weigher = await startWeigher(site, { pools })
    await site.table()
    const program = await connect({ servers: site.nats.url })
    const event = {
      ...{ specversion: '1.0', id: '1', type: 'siplb.load.v1', source: '/my/program' },
      data: { proxy: 'px2', load: 0.95 },
    }
    program.publish('siplb.v1.evt.load.default', JSON.stringify(event))
    const loaded = await site.until('px2', ({ weight }) => weight < 25)
    expect(loaded).toMatchObject({ restricted: true, reason: expect.stringContaining('load 0.95, target 0.7') })
    await program.close()
  })

  it('counts malformed events, and does nothing on them', async () => {
    await using site = await startSite()
    await using weigher = await startWeigher(site, { pools })
    const before = await site.table()
    const program = await connect({ servers: site.nats.url })
    const load = { specversion: '1.0', id: '1', type: 'siplb.load.v1', source: '/my/program' }
    const nasty: (string | Uint8Array)[] = [
      'no json',
      '{}',
      '[]]',
      new Uint8Array([0xff, 0xfe, 0]),
      JSON.stringify({ ...load, data: { proxy: 'px1', load: 7 } }),
      JSON.stringify({ ...load, data: { proxy: '__proto__', load: 1 } }),
      JSON.stringify({ ...load, type: 'other', data: { proxy: 'px1', load: 1 } }),
      JSON.stringify(Array(600).fill({ ...load, data: { proxy: 'px1', load: 1 } })),
      JSON.stringify({ ...load, data: { proxy: 'px1', load: 1, ageMs: -1 } }),
    ]
    for (const payload of nasty) program.publish('siplb.v1.evt.load.default', payload)
    for (const payload of nasty) program.publish('siplb.v1.evt.traffic.default', payload)
    const dropped = (channel: string) =>
      weigher.metric(`siplb_bus_dropped_total{channel="evt.${channel}.{pool}",problem="malformed"}`)
    await waitFor(
      async () => (await dropped('load')) >= nasty.length && (await dropped('traffic')) >= nasty.length,
      3000,
    )
    await new Promise((resolve) => setTimeout(resolve, 600))
    expect(await site.table()).toEqual(before)
    await program.close()
  })

  it('counts events about proxies and pools that it does not have, and those that come twice', async () => {
    await using site = await startSite()
    await using weigher = await startWeigher(site, { pools })
    await site.table()
    const load = { load: 0.1, source: 'event', ageMs: 0, expiresInMs: 1000 }
    site.bus.publish(loadReported, { pool: 'default' }, { proxy: 'px9', ...load })
    site.bus.publish(loadReported, { pool: 'other' }, { proxy: 'px1', ...load })
    site.bus.publish(loadReported, { pool: 'default' }, { proxy: 'px1', ...load }, 'same')
    site.bus.publish(loadReported, { pool: 'default' }, { proxy: 'px1', ...load }, 'same')
    const ignored = (reason: string) =>
      weigher.metric(`siplb_weigher_events_ignored_total{channel="evt.load.{pool}",reason="${reason}"}`)
    await waitFor(async () => (await ignored('repeated')) === 1, 3000)
    expect([await ignored('unknown-proxy'), await ignored('unknown-pool')]).toEqual([1, 1])
  })

  it('takes a proxy out at once that refuses, says so as an event, and lets it grow afterwards', async () => {
    await using site = await startSite()
    await using _weigher = await startWeigher(site, { pools })
    await site.table()
    {
      using _probes = probing(site, { px1: { responseTimeMs: 4 }, px2: { outcome: 'refused' } })
      await site.until('px2', ({ weight, state }) => weight === 0 && state === 'down', 2000)
      await waitFor(() => site.states.some(({ state }) => state === 'down'), 2000)
      expect(site.states.find(({ state }) => state === 'down')).toMatchObject({
        ...{ pool: 'default', proxy: 'px2', prevState: 'unknown', actor: 'weigher' },
        cause: expect.stringContaining('the probe was refused'),
      })
    }
    using _probes = probing(site, { px1: { responseTimeMs: 4 }, px2: { responseTimeMs: 4 } })
    const growing = await site.until('px2', ({ state }) => state === 'recovering', 6000)
    expect(growing).toMatchObject({ restricted: true })
    expect(growing.weight).toBeLessThanOrEqual(10)
  })

  it('repeats the table at a fixed rate', async () => {
    await using site = await startSite()
    await using _weigher = await startWeigher(site, { pools, weights: { snapshotMs: 200 } })
    await waitFor(() => site.snapshots.length >= 3, 5000)
    expect(site.snapshots.at(-1)).toEqual(await site.table())
    expect(site.tables).toHaveLength(1)
  })

  it('repeats and answers the weights that were said, with the figures of now', async () => {
    await using site = await startSite()
    await using _weigher = await startWeigher(site, { pools, weights: { snapshotMs: 200 } })
    await site.table()
    const wellAt = (responseTimeMs: number) =>
      Object.fromEntries(['px1', 'px2', 'px3'].map((id) => [id, { responseTimeMs }]))
    {
      using _probes = probing(site, wellAt(4))
      await site.until('px1', ({ signals, state }) => signals.responseTimeMs === 4 && state === 'up')
      // That all are up is said once there was little to say; of what follows, nothing is worth a table.
      await waitFor(() => site.tables.at(-1)?.proxies.every(({ state }) => state === 'up'), 8000)
    }
    using _probes = probing(site, wellAt(7))
    const busy = setInterval(() => {
      const traffic = { ingress: 'i1', intervalMs: 250, epoch: 1, seq: 1, dialogsEnded: [] }
      site.bus.publish(trafficSeen, { pool: 'default' }, { ...traffic, proxies: [seen('px1', 5, { dialogs: 3 })] })
    }, 250)
    const isNow = ({ signals }: WeightRow) =>
      signals.responseTimeMs === 7 && signals.dialogs === 3 && (signals.requestsPerSecond ?? 0) > 1
    await site.until('px1', isNow)
    await waitFor(() => site.snapshots.at(-1)?.proxies.some(isNow) === true, 3000)
    clearInterval(busy)
    const [last, repeated, stored] = [
      site.tables.at(-1),
      site.snapshots.at(-1),
      await site.bus.table(weightsTable, 'user').get('default'),
    ]
    expect(stored?.value).toEqual(last)
    expect(last?.proxies.some(isNow)).toBe(false)
    const chosenBy = (table: WeightTable | undefined) => ({
      ...table,
      proxies: table?.proxies.map(({ signals: _figures, state: _state, ...row }) => row),
    })
    expect(chosenBy(repeated)).toEqual(chosenBy(last))
    expect(chosenBy(await site.table())).toEqual(chosenBy(last))
  })

  it('shows weights and states as metrics', async () => {
    await using site = await startSite()
    await using weigher = await startWeigher(site, { pools })
    await site.table()
    using _probes = probing(site, { px1: { responseTimeMs: 4 }, px2: { outcome: 'refused' } })
    await site.until('px2', ({ weight }) => weight === 0)
    const series = (name: string, proxy: string) => weigher.metric(`${name}{pool="default",proxy="${proxy}"}`)
    await waitFor(async () => (await series('siplb_proxy_weight', 'px2')) === 0, 2000)
    expect(await series('siplb_proxy_weight', 'px1')).toBe(100)
    expect(await weigher.metric('siplb_proxy_state{pool="default",proxy="px2",state="down"}')).toBe(1)
    expect(await weigher.metrics()).not.toContain('proxy="px2",state="unknown"')
    expect(await weigher.metric('siplb_weights_age_seconds{pool="default"}')).toBeLessThan(2)
  })

  it('raises its epoch over what an ingress already chose by', async () => {
    await using site = await startSite()
    await using _weigher = await startWeigher(site, { pools })
    await site.table()
    const traffic = { ingress: 'i1', intervalMs: 250, epoch: 41, seq: 3, proxies: [seen('px1', 1)], dialogsEnded: [] }
    site.bus.publish(trafficSeen, { pool: 'default' }, traffic)
    await waitFor(async () => (await site.table()).epoch === 42, 4000)
    site.bus.publish(trafficSeen, { pool: 'default' }, { ...traffic, epoch: Number.MAX_SAFE_INTEGER })
    site.bus.publish(
      loadReported,
      { pool: 'default' },
      { proxy: 'px1', load: 1, source: 'x', ageMs: 0, expiresInMs: 5000 },
    )
    await site.until('px1', ({ weight }) => weight < 30)
    expect((await site.table()).epoch).toBe(42)
  })

  it('keeps the history of tables and signals in streams', async () => {
    await using site = await startSite()
    await using _weigher = await startWeigher(site, { pools })
    await site.table()
    site.bus.publish(
      loadReported,
      { pool: 'default' },
      { proxy: 'px1', load: 0.1, source: 'x', ageMs: 0, expiresInMs: 1000 },
    )
    const client = await connect({ servers: site.nats.url })
    const manager = await client.jetstreamManager()
    await waitFor(async () => (await manager.streams.info('SIPLB_SIGNALS')).state.messages === 1, 3000)
    expect((await manager.streams.info('SIPLB_EVENTS')).state.messages).toBe(1)
    await client.close()
  })
})
