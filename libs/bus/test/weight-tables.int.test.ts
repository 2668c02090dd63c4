import { weightTables, withChanges, type Bus } from '@siplb/bus'
import { weightsTable, type WeightRow, type WeightTable } from '@siplb/contracts'
import { startNats, waitFor, type TestNats } from '@siplb/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectedBus, ownPrefix } from './bus-under-test.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats.stop())

const rowOf = (i: number, weight: number): WeightRow => ({
  ...{ id: `px${i}`, uri: `sip:10.1.${i >> 8}.${i & 255}`, tier: 1, baseWeight: 100, weight, prevWeight: 100 },
  ...{ state: 'up', restricted: false, reason: 'as the test wants it', signals: {} },
})

function tableOf(rows: number, seq: number, weight = 100): WeightTable {
  const head = { pool: 'default', epoch: 1, seq, prevSeq: seq - 1, writer: 'w1', policy: 'two-choices' } as const
  const proxies = Array.from({ length: rows }, (_, i) => rowOf(i, weight))
  return { ...head, strict: false, panic: false, costs: {}, proxies }
}

const keysIn = async (bus: Bus) => (await bus.table(weightsTable, 'user').entries()).map(({ key }) => key).toSorted()

function watching(bus: Bus) {
  const heard: (WeightTable | undefined)[] = []
  weightTables(bus, 'user').watch((_, table) => void heard.push(table))
  return heard
}

describe('weight tables in the store', () => {
  it('are one value up to 500 rows, and parts with a head behind them beyond', async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix() })
    const store = weightTables(a.bus, 'owner')
    await store.put('default', tableOf(500, 1))
    expect(await keysIn(a.bus)).toEqual(['default'])
    await store.put('default', tableOf(501, 2))
    expect(await keysIn(a.bus)).toEqual(['default', ...Array.from({ length: 6 }, (_, n) => `default.${n}`)])
    expect((await a.bus.table(weightsTable, 'user').get('default'))?.value).toMatchObject({ parts: 6, proxies: [] })
    expect((await store.get('default'))?.value).toEqual(tableOf(501, 2))
    expect((await store.entries()).map(({ key, value }) => [key, value])).toEqual([['default', tableOf(501, 2)]])
  })

  it('of 10,000 rows, over two megabytes, are read whole by who was there and by who comes late', async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix() })
    await using b = await connectedBus(nats, { prefix: a.bus.prefix })
    const store = weightTables(a.bus, 'owner')
    await store.put('default', tableOf(1, 1))
    const early = watching(b.bus)
    await waitFor(() => early.length === 1, 3000, 'the first table')
    await store.put('default', tableOf(10_000, 2))
    await waitFor(() => early.length === 2, 5000, 'the large table')
    expect(early[1]).toEqual(tableOf(10_000, 2))
    const late = watching(b.bus)
    await waitFor(() => late.length === 1, 5000, 'the large table again')
    expect(late[0]).toEqual(tableOf(10_000, 2))
  })

  it('are told whole or not at all while another one is being written', async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix() })
    const store = weightTables(a.bus, 'owner')
    await store.put('default', tableOf(1200, 1))
    const [part] = await partsOf(a.bus, tableOf(1200, 2, 50))
    if (part === undefined) throw new Error('there is no part')
    await a.bus.table(weightsTable, 'owner').put('default.0', part)
    expect(await store.get('default')).toBeUndefined()
    const heard = watching(a.bus)
    await store.put('default', tableOf(1200, 2, 50))
    await waitFor(() => heard.length > 0, 3000, 'the second table')
    expect(heard).toEqual([tableOf(1200, 2, 50)])
  })

  it('are written by compare-and-set, and removed with their parts', async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix() })
    const store = weightTables(a.bus, 'owner')
    const first = await store.create('default', tableOf(600, 1))
    expect(await store.create('default', tableOf(600, 2))).toBe('conflict')
    expect(await store.update('default', tableOf(600, 2), Number(first) + 100)).toBe('conflict')
    expect(await store.update('default', tableOf(600, 2), Number(first))).toBeGreaterThan(Number(first))
    const heard = watching(a.bus)
    await waitFor(() => heard.length === 1, 3000, 'the table')
    await store.remove('default')
    await waitFor(() => heard.length === 2, 3000, 'the removal')
    expect(heard[1]).toBeUndefined()
    expect(await keysIn(a.bus)).toEqual([])
  })
})

/** As they are written, from a store of its own. */
async function partsOf(bus: Bus, table: WeightTable) {
  await using other = await connectedBus(nats, { prefix: `${bus.prefix}-other` })
  await weightTables(other.bus, 'owner').put('default', table)
  const entries = await other.bus.table(weightsTable, 'user').entries()
  return entries.filter(({ key }) => key === 'default.0').map(({ value }) => value)
}

it('an event of a large table changes the rows that it has, and adds those that are new', () => {
  const known = tableOf(3, 1)
  const event = { ...tableOf(0, 2), parts: 1, proxies: [rowOf(1, 7), rowOf(9, 8)] }
  const after = withChanges(known, event)
  expect(after.seq).toBe(2)
  expect(after.proxies.map(({ id, weight }) => [id, weight])).toEqual([
    ['px0', 100],
    ['px1', 7],
    ['px2', 100],
    ['px9', 8],
  ])
  expect(withChanges(known, tableOf(1, 2)).proxies).toHaveLength(1)
})
