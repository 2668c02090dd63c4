import { rm } from 'node:fs/promises'
import {
  addProxy,
  disableProxy,
  loadReported,
  proxiesTable,
  responseTime,
  responseTimeTaken,
  setProxy,
} from '@siplb/contracts'
import { spawnService, waitFor } from '@siplb/testkit'
import { describe, expect, it } from 'vitest'
import { poolOf, startSite, startWeigher } from './weigher-under-test.ts'

const pools = { default: poolOf('px1', 'px2', 'px3') }
const px = (proxy: string) => ({ pool: 'default', proxy, actor: 'ann' })

describe('when NATS goes and comes back', () => {
  it('weights move again within three seconds, under the same epoch', async () => {
    await using site = await startSite()
    await using weigher = await startWeigher(site, { pools })
    const { epoch } = await site.table()
    await site.nats.kill()
    await waitFor(() => !site.bus.isConnected(), 5000)
    await new Promise((resolve) => setTimeout(resolve, 4000))
    expect(weigher.isReady()).toBe(true)
    await site.nats.restart()
    const back = performance.now()
    const timer = setInterval(() => {
      site.bus.publish(
        loadReported,
        { pool: 'default' },
        { proxy: 'px1', load: 1, source: 'x', ageMs: 0, expiresInMs: 5000 },
      )
    }, 100)
    await waitFor(() => site.tables.some(({ proxies }) => proxies.some(({ weight }) => weight < 60)), 5000)
    clearInterval(timer)
    expect(performance.now() - back).toBeLessThan(3000)
    expect(site.tables.at(-1)?.epoch).toBe(epoch)
  })

  it('with its store wiped, all is there again within five seconds, under a new epoch and with the same weights', async () => {
    await using site = await startSite()
    await using _weigher = await startWeigher(site, { pools })
    await site.table()
    await site.bus.request(setProxy, {}, { ...px('px1'), weight: 50 }, 2000)
    await site.bus.request(disableProxy, {}, px('px2'), 2000)
    await site.bus.request(addProxy, {}, { ...px('px9'), uri: 'sip:10.9.9.9', weight: 40, tier: 1 }, 2000)
    const tell = () => {
      const times = { px1: 4, px9: 4, px3: 40 }
      const samples = Object.entries(times).map(([proxy, responseTimeMs]) =>
        responseTime.parse({ proxy, responseTimeMs }),
      )
      site.bus.publish(responseTimeTaken, { pool: 'default' }, samples)
    }
    const timer = setInterval(tell, 50)
    await site.until('px3', ({ weight }) => weight < 50)
    await site.until('px9', ({ weight }) => weight === 40)
    await new Promise((resolve) => setTimeout(resolve, 1000))
    const before = await site.table()
    await site.nats.kill()
    await rm(site.nats.storeDir, { recursive: true, force: true })
    await site.nats.restart()
    const after = await waitFor(
      () => site.tables.find(({ epoch }) => epoch > before.epoch),
      5000,
      'a table under a new epoch',
    )
    expect(after).toMatchObject({ epoch: before.epoch + 1, seq: 1 })
    for (const [i, { id, weight }] of before.proxies.entries()) {
      const row = after.proxies[i]
      expect(row?.id).toBe(id)
      expect(Math.abs((row?.weight ?? Number.NaN) - weight)).toBeLessThanOrEqual(0.05 * weight)
    }
    const rows = site.bus.table(proxiesTable, 'user')
    await waitFor(async () => (await rows.entries()).length === 4, 5000)
    expect((await rows.get('default.px1'))?.value).toMatchObject({ operatorWeight: 50 })
    expect((await rows.get('default.px2'))?.value).toMatchObject({ adminState: 'disabled' })
    clearInterval(timer)
  })

  it('frozen and thawed, it is as before', { timeout: 30_000 }, async () => {
    await using site = await startSite()
    await using _weigher = await startWeigher(site, { pools })
    const { epoch } = await site.table()
    await site.nats.freeze()
    await new Promise((resolve) => setTimeout(resolve, 5000))
    site.nats.thaw()
    await waitFor(() => site.bus.isConnected(), 5000)
    await waitFor(async () => {
      site.bus.publish(
        loadReported,
        { pool: 'default' },
        { proxy: 'px1', load: 1, source: 'x', ageMs: 0, expiresInMs: 5000 },
      )
      return site.tables.some(({ proxies }) => proxies.some(({ weight }) => weight < 60))
    }, 6000)
    expect(site.tables.at(-1)?.epoch).toBeLessThanOrEqual(epoch + 1)
  })

  it('not there at the start, the weigher waits for it', { timeout: 30_000 }, async () => {
    await using site = await startSite()
    await site.nats.kill()
    await using process = await spawnService('weigher', {
      config: { nats: { servers: [site.nats.url] }, http: { port: 0 }, instance: 'w1', pools },
    })
    const ready = async () => fetch(`http://127.0.0.1:${process.httpPort}/readyz`)
    const answer = await waitFor(async () => {
      const response = await ready()
      return response.status === 200 ? response.json() : undefined
    }, 3000)
    expect(answer).toMatchObject({ ready: true, bus: expect.stringContaining('gone') })
    await site.nats.restart()
    expect((await site.table()).proxies.map(({ weight }) => weight)).toEqual([100, 100, 100])
    expect(await process.stop()).toBe(0)
  })
})
