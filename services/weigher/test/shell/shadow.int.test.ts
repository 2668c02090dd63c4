import { setTimeout as sleep } from 'node:timers/promises'
import {
  loadReported,
  trafficSeen,
  weightsShadowed,
  type Load,
  type ProxyTraffic,
  type WeightTable,
} from '@siplb/contracts'
import { weightTables } from '@siplb/bus'
import { waitFor } from '@siplb/testkit'
import { describe, expect, it } from 'vitest'
import { poolOf, startSite, startWeigher, type Site } from './weigher-under-test.ts'

const shadowed = (shadow: object, weights: object = {}) => ({
  pools: { default: { ...poolOf('px1', 'px2'), shadow } },
  weights,
})
const unshadowed = { pools: { default: poolOf('px1', 'px2') } }
/** Up to load 0.7 is no matter to the live pool, and to this one it is. */
const early = { policy: 'two-choices', weights: { loadTarget: 0.3 } }

function shadowsOf(site: Site): WeightTable[] {
  const heard: WeightTable[] = []
  site.bus.subscribe(weightsShadowed, { pool: '*' }, ({ data }) => heard.push(data))
  return heard
}

const weightIn = (table: WeightTable | undefined, id: string) => table?.proxies.find((row) => row.id === id)?.weight

const load = (proxy: string, value: number): Load => ({
  ...{ proxy, load: value, source: 'test', ageMs: 0, expiresInMs: 60_000 },
})

function told(proxy: string, shadow?: number): ProxyTraffic {
  const faults = { unavailable: 0, serverError: 0, timeout: 0, transportError: 0 }
  return {
    ...{ proxy, requests: 10, inFlight: 3, work: 0, dialogs: 0, responseTimes: {} },
    outcomes: { success: 10, redirection: 0, refusal: 0, cancelled: 0, ...faults },
    ...(shadow === undefined ? {} : { shadow }),
  }
}

describe('a shadow', () => {
  it('says what other settings would make of the same events, and moves no weight', async () => {
    await using site = await startSite()
    const shadows = shadowsOf(site)
    await using weigher = await startWeigher(site, shadowed(early))
    const first = await waitFor(() => shadows[0], 3000, 'the first table of the shadow')
    expect(first).toMatchObject({ policy: 'two-choices', writer: 'w1', epoch: 1, seq: 1, prevSeq: 0 })
    expect(first.proxies.map(({ id, weight }) => [id, weight])).toEqual([
      ['px1', 100],
      ['px2', 100],
    ])
    const said = site.tables.length
    site.bus.publish(loadReported, { pool: 'default' }, load('px1', 0.65))
    const later = await waitFor(() => shadows.find((table) => (weightIn(table, 'px1') ?? 100) < 60), 3000)
    expect(later.proxies[0]).toMatchObject({ reason: 'load 0.65, target 0.3', restricted: true })
    expect(later.seq).toBe(later.prevSeq + 1)
    await sleep(600)
    expect(weightIn(await site.table(), 'px1')).toBe(100)
    expect(site.tables).toHaveLength(said)
    expect(await site.table()).toMatchObject({ policy: 'least-work' })
    const stored = await weightTables(site.bus, 'user').entries()
    expect(stored.map(({ key, value }) => [key, value.policy])).toEqual([['default', 'least-work']])
    expect(await weigher.metric('siplb_proxy_shadow_weight{pool="default",proxy="px1"}')).toBe(
      weightIn(shadows.at(-1), 'px1'),
    )
    expect(await weigher.metric('siplb_weights_shadowed_total{pool="default"}')).toBe(shadows.at(-1)?.seq)
  })

  it('is repeated at a fixed rate under the same revision, with the requests that it would have sent there', async () => {
    await using site = await startSite()
    const shadows = shadowsOf(site)
    await using _weigher = await startWeigher(site, shadowed({ weights: { snapshotMs: 300 } }))
    await waitFor(() => shadows.length >= 3, 4000, 'repetitions')
    expect(new Set(shadows.map(({ seq }) => seq)).size).toBe(1)
    expect(shadows.at(-1)?.proxies[0]?.signals.requestsPerSecond).toBeUndefined()
    const report = { ingress: 'i1', intervalMs: 250, epoch: 1, seq: 1, dialogsEnded: [] }
    site.bus.publish(trafficSeen, { pool: 'default' }, { ...report, proxies: [told('px1'), told('px2')] })
    site.bus.publish(trafficSeen, { pool: 'default' }, { ...report, proxies: [told('px1', 18), told('px2', 2)] })
    const rates = (table: WeightTable) => table.proxies.map(({ signals }) => signals.requestsPerSecond)
    await waitFor(() => shadows.some((table) => rates(table).join() === '4.5,0.5'), 3000, 'the would-be rates')
    const live = await site.table()
    expect(rates(live)).toEqual([5, 5])
  })

  it('comes, changes and goes by a reload, and what was learnt is kept', async () => {
    await using site = await startSite()
    const shadows = shadowsOf(site)
    await using weigher = await startWeigher(site, unshadowed)
    await site.table()
    site.bus.publish(loadReported, { pool: 'default' }, load('px1', 0.65))
    await sleep(800)
    expect(shadows).toEqual([])
    weigher.configure(shadowed(early, { snapshotMs: 200 }))
    const first = await waitFor(() => shadows[0], 2000, 'the shadow')
    expect(weightIn(first, 'px1')).toBe(100)
    site.bus.publish(loadReported, { pool: 'default' }, load('px1', 0.65))
    const low = await waitFor(() => shadows.find((table) => (weightIn(table, 'px1') ?? 100) < 60), 3000, 'its law')
    weigher.configure(shadowed({ ...early, policy: 'weighted-random' }, { snapshotMs: 200 }))
    const other = await waitFor(() => shadows.find(({ policy }) => policy === 'weighted-random'), 2000, 'its policy')
    expect(other.seq).toBeGreaterThan(low.seq)
    expect(weightIn(other, 'px1')).toBeLessThan(60)
    weigher.configure({ ...unshadowed, weights: { snapshotMs: 200 } })
    await sleep(300)
    const count = shadows.length
    await sleep(700)
    expect(shadows).toHaveLength(count)
    expect(await weigher.metrics()).not.toMatch(/^siplb_proxy_shadow_weight\{/m)
  })

  it('is told by the writer alone, and goes on under the next one', async () => {
    await using site = await startSite()
    const shadows = shadowsOf(site)
    await using first = await startWeigher(site, shadowed(early, { snapshotMs: 200 }))
    await waitFor(() => shadows.length > 0, 3000)
    await using second = await startWeigher(site, shadowed(early, { snapshotMs: 200 }), 'w2')
    await sleep(1000)
    expect(new Set(shadows.map(({ writer }) => writer))).toEqual(new Set(['w1']))
    site.bus.publish(loadReported, { pool: 'default' }, load('px1', 0.65))
    await waitFor(() => (weightIn(shadows.at(-1), 'px1') ?? 100) < 60, 3000, 'its law')
    await first.stop()
    const next = await waitFor(() => shadows.find(({ writer }) => writer === 'w2'), 6000, 'the next writer')
    expect(second.pools()).toMatchObject({ default: { writer: true } })
    expect(next.epoch).toBeGreaterThan(1)
    expect(weightIn(next, 'px1')).toBeLessThan(60)
  })
})
