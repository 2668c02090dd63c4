import type { BusError } from '@siplb/bus'
import {
  addProxy,
  disableProxy,
  drainProxy,
  enableProxy,
  proxiesTable,
  removeProxy,
  setProxy,
  weightsQuestion,
  type ProxyRecord,
} from '@siplb/contracts'
import { waitFor } from '@siplb/testkit'
import { describe, expect, it } from 'vitest'
import { poolOf, startSite, startWeigher, type Site } from './weigher-under-test.ts'

const pools = { default: poolOf('px1', 'px2') }
const px = (proxy: string) => ({ pool: 'default', proxy, actor: 'ann' })
const stored = async (site: Site, id: string): Promise<ProxyRecord | undefined> =>
  (await site.bus.table(proxiesTable, 'user').get(`default.${id}`))?.value

describe('commands', () => {
  it('add and remove a proxy while calls go on', async () => {
    await using site = await startSite()
    await using _weigher = await startWeigher(site, { pools })
    await site.table()
    const added = { ...px('px9'), uri: 'sip:10.9.9.9', weight: 40, tier: 1 }
    const { proxy } = await site.bus.request(addProxy, {}, added, 2000)
    expect(proxy).toMatchObject({ id: 'px9', origin: 'command', adminState: 'enabled', actor: 'ann' })
    await site.until('px9', ({ weight, baseWeight }) => weight === 40 && baseWeight === 40)
    expect(await stored(site, 'px9')).toEqual(proxy)
    await site.bus.request(removeProxy, {}, px('px9'), 2000)
    await waitFor(async () => (await site.table()).proxies.length === 2, 3000)
    expect(await stored(site, 'px9')).toBeUndefined()
  })

  it('drain, disable and enable, and are told with the name of who gave them', async () => {
    await using site = await startSite()
    await using _weigher = await startWeigher(site, { pools })
    await site.table()
    await site.bus.request(drainProxy, {}, px('px1'), 2000)
    const draining = await site.until('px1', ({ weight }) => weight === 0)
    expect(draining).toMatchObject({ state: 'draining', prevWeight: 100, reason: 'draining by ann' })
    await site.until('px1', ({ state }) => state === 'drained')
    await site.bus.request(disableProxy, {}, px('px1'), 2000)
    await site.until('px1', ({ state }) => state === 'disabled')
    await site.bus.request(enableProxy, {}, px('px1'), 2000)
    const back = await site.until('px1', ({ weight }) => weight > 0)
    expect(back).toMatchObject({ state: 'recovering', restricted: true })
    expect(back.weight).toBeLessThanOrEqual(10)
    await waitFor(() => site.states.length >= 4, 2000)
    expect(site.states.map(({ state, actor }) => [state, actor])).toEqual([
      ['draining', 'ann'],
      ['drained', 'ann'],
      ['disabled', 'ann'],
      ['recovering', 'ann'],
    ])
  })

  it('set a weight and take it back', async () => {
    await using site = await startSite()
    await using _weigher = await startWeigher(site, { pools })
    await site.table()
    await site.bus.request(setProxy, {}, { ...px('px2'), weight: 250 }, 2000)
    const set = await site.until('px2', ({ weight, baseWeight }) => weight === 250 && baseWeight === 250)
    expect(set.reason).toBe('base weight set to 250 by ann')
    await site.bus.request(setProxy, {}, { ...px('px2'), weight: null }, 2000)
    const back = await site.until('px2', ({ weight }) => weight === 100)
    expect(back.reason).toBe('base weight back to 100 by ann')
  })

  it('are refused with a sentence that names the cure', async () => {
    await using site = await startSite()
    await using _weigher = await startWeigher(site, { pools })
    await site.table()
    const refusal = async (work: Promise<unknown>) =>
      work.then(
        () => 'done',
        (error: BusError) => [error.status, error.message],
      )
    expect(await refusal(site.bus.request(removeProxy, {}, px('px1'), 2000))).toEqual([
      409,
      'proxy "px1" is declared in the configuration: take it out of the file, or disable it',
    ])
    expect(await refusal(site.bus.request(drainProxy, {}, px('px7'), 2000))).toEqual([
      404,
      'there is no proxy "px7" in pool "default"; "siplb proxies list" shows all',
    ])
    const elsewhere = { ...px('px1'), pool: 'nowhere', uri: 'sip:10.0.0.1', weight: 1, tier: 1 }
    expect(await refusal(site.bus.request(addProxy, {}, elsewhere, 2000))).toEqual([
      404,
      'there is no pool "nowhere": there is default; declare it under "pools" in the configuration',
    ])
    expect(await refusal(site.bus.request(weightsQuestion, { pool: 'nowhere' }, {}, 2000))).toContain(404)
    const other = { ...px('px1'), uri: 'sip:10.0.0.1', weight: 1, tier: 1 }
    expect(await refusal(site.bus.request(addProxy, {}, other, 2000))).toContain(409)
  })

  it('given by many at once all count', async () => {
    await using site = await startSite()
    await using _first = await startWeigher(site, { pools }, 'w1')
    await using _second = await startWeigher(site, { pools }, 'w2')
    await site.table()
    await Promise.all([
      site.bus.request(setProxy, {}, { ...px('px1'), weight: 7 }, 2000),
      site.bus.request(drainProxy, {}, px('px1'), 2000),
      site.bus.request(setProxy, {}, { ...px('px2'), weight: 8 }, 2000),
    ])
    expect(await stored(site, 'px1')).toMatchObject({ operatorWeight: 7, adminState: 'draining' })
    expect(await stored(site, 'px2')).toMatchObject({ operatorWeight: 8 })
  })
})

describe('a reload of the file', () => {
  it('brings what it declares anew, takes away what it declares no more, and leaves what operators set', async () => {
    await using site = await startSite()
    await using weigher = await startWeigher(site, { pools })
    await site.table()
    await site.bus.request(setProxy, {}, { ...px('px1'), weight: 7 }, 2000)
    await site.bus.request(addProxy, {}, { ...px('px9'), uri: 'sip:10.9.9.9', weight: 40, tier: 1 }, 2000)
    const [first] = pools.default.proxies
    weigher.configure({
      pools: {
        default: {
          proxies: [
            { ...first, weight: 30 },
            { id: 'px3', uri: 'sip:10.0.0.3' },
          ],
        },
      },
    })
    await waitFor(async () => (await site.table()).proxies.map(({ id }) => id).join() === 'px1,px9,px3', 4000)
    const table = await site.table()
    expect(table.proxies.map(({ baseWeight }) => baseWeight)).toEqual([7, 40, 100])
    expect(await stored(site, 'px1')).toMatchObject({ weight: 30, operatorWeight: 7 })
    weigher.configure({ pools: { default: { proxies: [first, { id: 'px3', uri: 'sip:10.0.0.3', weight: 50 }] } } })
    const changed = await site.until('px3', ({ weight }) => weight === 50)
    expect(changed.reason).toBe('base weight 50 in the configuration')
  })

  it('brings a new pool, and takes the proxies of one that is gone from the list', async () => {
    await using site = await startSite()
    await using weigher = await startWeigher(site, { pools })
    await site.table()
    weigher.configure({ pools: { second: poolOf('py1') } })
    expect((await site.table('second')).proxies.map(({ id, weight }) => [id, weight])).toEqual([['py1', 100]])
    await waitFor(async () => (await stored(site, 'px1')) === undefined, 3000)
  })
})
