import { addProxy, leasesTable, proxiesTable, weightsTable } from '@siplb/contracts'
import { waitFor } from '@siplb/testkit'
import { describe, expect, it } from 'vitest'
import { poolOf, startSite, startWeigher, type Site } from './weigher-under-test.ts'

/** What the store holds of a pool. */
async function storedOf({ bus }: Site, pool: string) {
  const rows = await bus.table(proxiesTable, 'user').entries()
  return {
    proxies: rows.flatMap(({ key }) => (key.startsWith(`${pool}.`) ? [key] : [])).toSorted(),
    epoch: (await bus.table(weightsTable, 'user').get(pool))?.value.epoch,
    holder: (await bus.table(leasesTable, 'user').get(`weigher.${pool}`))?.value.holder,
  }
}
const add = ({ bus }: Site, pool: string, proxy: string) =>
  bus.request(addProxy, {}, { pool, proxy, actor: 'ann', uri: 'sip:10.9.9.9', weight: 40, tier: 1 }, 2000)
const nothing = { proxies: [], epoch: undefined, holder: undefined }
const isGone = async (site: Site, pool: string) =>
  JSON.stringify(await storedOf(site, pool)) === JSON.stringify(nothing)

describe('a pool that no file declares', () => {
  it(
    'is taken from the store, with what commands added, when a weigher starts; one that another writes is not',
    { timeout: 40_000 },
    async () => {
      await using site = await startSite()
      const first = await startWeigher(site, { pools: { default: poolOf('px1'), gone: poolOf('py1') } }, 'w1')
      await site.table('gone')
      await add(site, 'gone', 'py9')
      await first.stop()
      expect(await storedOf(site, 'gone')).toEqual({ proxies: ['gone.py1', 'gone.py9'], epoch: 1, holder: 'w1' })
      await using _other = await startWeigher(site, { pools: { kept: poolOf('pz1') } }, 'w2')
      await site.table('kept')
      await add(site, 'kept', 'pz9')
      await using _second = await startWeigher(site, { pools: { default: poolOf('px1') } }, 'w3')
      await waitFor(() => isGone(site, 'gone'), 20_000, 'the store to forget the pool')
      await new Promise((resolve) => setTimeout(resolve, 2500))
      const kept = { proxies: ['kept.pz1', 'kept.pz9'], epoch: expect.any(Number), holder: 'w2' }
      expect(await storedOf(site, 'kept')).toEqual(kept)
    },
  )

  it('is taken from the store after a reload', { timeout: 40_000 }, async () => {
    await using site = await startSite()
    await using weigher = await startWeigher(site, { pools: { default: poolOf('px1'), gone: poolOf('py1') } })
    await site.table('gone')
    weigher.configure({ pools: { default: poolOf('px1') } })
    await waitFor(() => isGone(site, 'gone'), 20_000, 'the store to forget the pool')
    expect(await storedOf(site, 'default')).toMatchObject({ proxies: ['default.px1'], holder: 'w1' })
    weigher.configure({ pools: { default: poolOf('px1'), gone: poolOf('py1', 'py2') } })
    await waitFor(async () => (await site.table('gone')).proxies.length === 2, 5000)
    expect(await storedOf(site, 'gone')).toMatchObject({ proxies: ['gone.py1', 'gone.py2'], epoch: 2 })
  })
})
