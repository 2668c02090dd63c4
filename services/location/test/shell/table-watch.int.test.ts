import { weightTables } from '@siplb/bus'
import { tableSnapshot, weightsChanged, type WeightTable } from '@siplb/contracts'
import { waitFor } from '@siplb/testkit'
import { describe, expect, it } from 'vitest'
import { startInstallation, type Installation, type LocationUnderTest } from '../location-under-test.ts'
import { tableOf } from '../tables.ts'

const proxies = [
  { id: 'px1', uri: 'sip:10.0.0.1' },
  { id: 'px2', uri: 'sip:10.0.0.2', weight: 50 },
]

const revisionOf = ({ tables }: LocationUnderTest, pool = 'default') => {
  const snapshot = tables.snapshots.get(pool)
  return snapshot === undefined ? undefined : `${snapshot.epoch}:${snapshot.seq}`
}

const weightOf = ({ tables }: LocationUnderTest, proxy: string) => tables.snapshots.get('default')?.find(proxy)?.weight

const results = async ({ registry }: LocationUnderTest, result: string) =>
  Number(
    new RegExp(`siplb_weight_tables_total\\{pool="default",result="${result}"\\} (\\d+)`).exec(
      await registry.metrics(),
    )?.[1] ?? 0,
  )

/** Says tables as the weigher does, and waits until location has heard each. */
async function weigher(installation: Installation) {
  const bus = await installation.bus('weigher')
  const store = weightTables(bus, 'owner')
  return {
    put: (table: WeightTable, key = table.pool) => store.put(key, table),
    remove: (key: string) => store.remove(key),
    say: (table: WeightTable, pool = table.pool) => bus.publish(weightsChanged, { pool }, table),
    repeat: (table: WeightTable) => bus.publish(tableSnapshot, { pool: table.pool }, table),
  }
}

describe('the tables of a location', () => {
  it('are base weights until one is heard, though there is no store', async () => {
    await using installation = await startInstallation()
    const location = await installation.location({ default: { proxies } })
    expect(revisionOf(location)).toBe('0:0')
    expect([weightOf(location, 'px1'), weightOf(location, 'px2')]).toEqual([100, 50])
    expect(location.tables.details()).toMatchObject({ default: { weights: 'as configured: no table heard yet' } })
  })

  it('come from the store, whether it is there before location or after', async () => {
    await using installation = await startInstallation()
    const early = await installation.location({ default: { proxies } }, { instance: 'early' })
    const { put } = await weigher(installation)
    await put(tableOf({ px1: 7 }, { epoch: 2, seq: 9 }))
    const late = await installation.location({ default: { proxies } }, { instance: 'late' })
    for (const location of [early, late]) await waitFor(() => revisionOf(location) === '2:9', 5000)
    expect(weightOf(late, 'px1')).toBe(7)
    expect(late.tables.details()).toMatchObject({ default: { epoch: 2, seq: 9, weights: 'as the weigher says' } })
  })

  it('of thousands of proxies come from the store alone: an event of theirs only shows that the weigher lives', async () => {
    await using installation = await startInstallation()
    const location = await installation.location({ default: { proxies } })
    const { put, say } = await weigher(installation)
    const weights = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`px${i + 1}`, 7]))
    say({ ...tableOf({ px1: 9 }, { epoch: 2, seq: 8 }), parts: 6 })
    await put(tableOf(weights, { epoch: 2, seq: 9 }))
    await waitFor(() => revisionOf(location) === '2:9', 5000)
    expect([weightOf(location, 'px1'), weightOf(location, 'px3000')]).toEqual([7, 7])
    expect(await results(location, 'used')).toBe(1)
  })

  it('come from events, of a change and at the fixed rate', async () => {
    await using installation = await startInstallation()
    const location = await installation.location({ default: { proxies } })
    const { say, repeat } = await weigher(installation)
    say(tableOf({ px1: 1 }, { seq: 1 }))
    await waitFor(() => revisionOf(location) === '1:1', 5000)
    repeat(tableOf({ px1: 2 }, { seq: 2 }))
    await waitFor(() => revisionOf(location) === '1:2', 5000)
  })

  it('never go back: an older one changes nothing, from wherever it comes', async () => {
    await using installation = await startInstallation()
    const location = await installation.location({ default: { proxies } })
    const { say, repeat, put } = await weigher(installation)
    say(tableOf({ px1: 75 }, { epoch: 3, seq: 5 }))
    await waitFor(() => revisionOf(location) === '3:5', 5000)
    say(tableOf({ px1: 1 }, { epoch: 3, seq: 4 }))
    repeat(tableOf({ px1: 1 }, { epoch: 2, seq: 900 }))
    await put(tableOf({ px1: 1 }, { epoch: 3, seq: 3 }))
    await waitFor(async () => (await results(location, 'older')) === 3, 5000)
    expect(revisionOf(location)).toBe('3:5')
    expect(weightOf(location, 'px1')).toBe(75)
  })

  it('of a new epoch win, whatever their seq', async () => {
    await using installation = await startInstallation()
    const location = await installation.location({ default: { proxies } })
    const { say } = await weigher(installation)
    say(tableOf({ px1: 1 }, { epoch: 3, seq: 500 }))
    say(tableOf({ px1: 2 }, { epoch: 4, seq: 0 }))
    await waitFor(() => revisionOf(location) === '4:0', 5000)
  })

  it('are not believed on the subject or key of another pool', async () => {
    await using installation = await startInstallation()
    const location = await installation.location({ default: { proxies }, other: { proxies } })
    const { say, put } = await weigher(installation)
    say(tableOf({ px1: 1 }, { seq: 7 }), 'other')
    await put(tableOf({ px1: 1 }, { seq: 8 }), 'other')
    await waitFor(async () => (await results(location, 'misplaced')) === 2, 5000)
    expect([revisionOf(location), revisionOf(location, 'other')]).toEqual(['0:0', '0:0'])
  })

  it('outlive their removal from the store', async () => {
    await using installation = await startInstallation()
    const location = await installation.location({ default: { proxies } })
    const { put, remove } = await weigher(installation)
    await put(tableOf({ px1: 7 }, { seq: 1 }))
    await waitFor(() => revisionOf(location) === '1:1', 5000)
    await remove('default')
    await put(tableOf({ px1: 8 }, { seq: 1 })) // the same revision: shows that the removal has been heard
    await waitFor(async () => (await results(location, 'known')) === 1, 5000)
    expect(weightOf(location, 'px1')).toBe(7)
  })

  it('outlive a bus that was gone, and follow the next epoch', async () => {
    await using installation = await startInstallation()
    const location = await installation.location({ default: { proxies } })
    const { say } = await weigher(installation)
    say(tableOf({ px1: 7 }, { epoch: 5, seq: 40 }))
    await waitFor(() => revisionOf(location) === '5:40', 5000)
    await installation.nats.restart()
    await waitFor(() => location.bus.isConnected(), 5000)
    expect(revisionOf(location)).toBe('5:40')
    await waitFor(() => say(tableOf({ px1: 9 }, { epoch: 6, seq: 1 })) && revisionOf(location) === '6:1', 5000)
  })

  it('of pools that a reload brings are there at once, from the file or from the store; those heard stay', async () => {
    await using installation = await startInstallation()
    const location = await installation.location({ default: { proxies } })
    const { put } = await weigher(installation)
    for (const seq of [1, 2]) {
      await put(tableOf({ px1: 3 }, { seq }))
      await waitFor(() => revisionOf(location) === `1:${seq}`, 5000)
      // When the second of default is heard, this one was heard too: of no use, since it was not configured.
      await put(tableOf({ px1: 9 }, { pool: 'stored', seq: 4 }))
    }
    location.configure({ default: { proxies: [] }, stored: { proxies }, fresh: { proxies } })
    expect([revisionOf(location), revisionOf(location, 'fresh')]).toEqual(['1:2', '0:0'])
    await waitFor(() => revisionOf(location, 'stored') === '1:4', 5000)
    location.configure({ default: {} })
    expect([...location.tables.snapshots.keys()]).toEqual(['default'])
  })

  it('that were never heard follow the file', async () => {
    await using installation = await startInstallation()
    const location = await installation.location({ default: { proxies } })
    location.configure({ default: { policy: 'rendezvous', proxies: [{ id: 'px9', uri: 'sip:10.0.0.9' }] } })
    expect(location.tables.snapshots.get('default')?.policy).toBe('rendezvous')
    expect([weightOf(location, 'px1'), weightOf(location, 'px9')]).toEqual([undefined, 100])
  })

  it('have an age, which ends when the weigher says them again', async () => {
    await using installation = await startInstallation()
    let now = 1000
    const location = await installation.location({ default: { proxies } }, { now: () => now })
    const { say, repeat } = await weigher(installation)
    now = 5000
    expect(location.tables.ages()).toEqual([['default', 4000]])
    say(tableOf({ px1: 1 }))
    await waitFor(() => revisionOf(location) === '1:1', 5000)
    now = 8000
    expect(location.tables.ages()).toEqual([['default', 3000]])
    repeat(tableOf({ px1: 1 }))
    await waitFor(() => location.tables.ages()[0]?.[1] === 0, 5000)
  })
})
