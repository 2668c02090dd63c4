import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { bucketName, leasesTable, type Lease } from '@siplb/contracts'
import { startNats, waitFor, type TestNats } from '@siplb/testkit'
import { connect, type KV, type NatsConnection } from 'nats'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectedBus, openBus, ownPrefix, type BusUnderTest } from './bus-under-test.ts'

let nats: TestNats
let user: NatsConnection

beforeAll(async () => {
  nats = await startNats()
  user = await connect({ servers: nats.url })
})

afterAll(async () => {
  await user.close()
  await nats.stop()
})

const leaseOf = (beat: number, holder = 'w-1'): Lease => ({ holder, epoch: 1, beat })
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

/** The bucket as a plain client has it. */
const bucketOf = ({ bus }: BusUnderTest): Promise<KV> => user.jetstream().views.kv(bucketName(bus.prefix, leasesTable))

/** What a watch tells, in one list: `k=1`, `k removed`, `caught up`. */
function watching({ bus }: BusUnderTest, role: 'owner' | 'user') {
  const heard: string[] = []
  const subscription = bus.table(leasesTable, role).watch(
    (key, lease) => void heard.push(lease === undefined ? `${key} removed` : `${key}=${lease.beat}`),
    () => void heard.push('caught up'),
  )
  return { heard, stop: () => subscription.stop() }
}

describe('a table', () => {
  it('keeps values by their key, and tells their revision', async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix() })
    const table = a.bus.table(leasesTable, 'owner')
    expect(await table.get('weigher.blue')).toBeUndefined()
    expect(await table.entries()).toEqual([])
    const first = await table.put('weigher.blue', leaseOf(1))
    const second = await table.put('weigher.blue', leaseOf(2))
    expect(second).toBeGreaterThan(first)
    await table.put('weigher.red', leaseOf(9))
    expect(await table.get('weigher.blue')).toEqual({ key: 'weigher.blue', value: leaseOf(2), revision: second })
    const entries = await table.entries()
    expect(Object.fromEntries(entries.map(({ key, value }) => [key, value.beat]))).toEqual({
      'weigher.blue': 2,
      'weigher.red': 9,
    })
  })

  it('is written again without asking the server for its bucket each time', async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix() })
    const table = a.bus.table(leasesTable, 'owner')
    await table.put('k', leaseOf(1))
    const asked: string[] = []
    const listening = user.subscribe('$JS.API.>', { callback: (_, { subject }) => void asked.push(subject) })
    await user.flush()
    const revision = await table.put('k', leaseOf(2))
    expect(await table.update('k', leaseOf(3), revision)).toBeGreaterThan(revision)
    await Promise.all([table.put('k', leaseOf(4)), table.put('l', leaseOf(1))])
    await user.flush()
    expect(asked).toEqual([])
    await table.get('k')
    await waitFor(() => asked.length > 0, 2000, 'a request to be seen at all')
    listening.unsubscribe()
  })

  it('is one JSON value for each key, in a bucket named after the prefix', async () => {
    await using a = await connectedBus(nats, { prefix: 'shop.lb.v1' })
    await a.bus.table(leasesTable, 'owner').put('weigher.blue', { ...leaseOf(1), extra: 'unknown' } as Lease)
    const kv = await user.jetstream().views.kv('shop-lb_leases', { bindOnly: true })
    expect((await kv.get('weigher.blue'))?.json()).toEqual(leaseOf(1))
    const status = await kv.status()
    expect([status.history, status.storage, status.ttl]).toEqual([1, 'file', 0])
  })

  it('is written by compare-and-set: who comes second hears of a conflict', async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix() })
    const table = a.bus.table(leasesTable, 'owner')
    const first = await table.create('k', leaseOf(1))
    expect(await table.create('k', leaseOf(2))).toBe('conflict')
    if (first === 'conflict') throw new Error('the first cannot be in conflict')
    const second = await table.update('k', leaseOf(3), first)
    expect(second).toBe(first + 1)
    expect(await table.update('k', leaseOf(4), first)).toBe('conflict')
    expect((await table.get('k'))?.value.beat).toBe(3)
    // The revision counts by key: writing another does not move it.
    await table.put('other', leaseOf(1))
    expect(await table.update('k', leaseOf(5), Number(second))).toBe(Number(second) + 2)
  })

  it('lets one of many win who create or update a key at once', async () => {
    const prefix = ownPrefix()
    await using a = await connectedBus(nats, { prefix, instance: 'a' })
    await using b = await connectedBus(nats, { prefix, instance: 'b' })
    const tables = [a, b].map(({ bus }) => bus.table(leasesTable, 'owner'))
    const won = (results: readonly (number | 'conflict')[]) => results.filter((result) => result !== 'conflict')
    const created = won(await Promise.all(tables.map(async (table, i) => table.create('k', leaseOf(i)))))
    expect(created).toHaveLength(1)
    const [revision = 0] = created
    expect(
      won(await Promise.all(tables.map(async (table, i) => table.update('k', leaseOf(i), revision)))),
    ).toHaveLength(1)
  })

  it('forgets what is removed, and may hold it again', async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix() })
    const table = a.bus.table(leasesTable, 'owner')
    await table.create('k', leaseOf(1))
    await table.remove('k')
    await table.remove('never-there')
    expect(await table.get('k')).toBeUndefined()
    expect(await table.entries()).toEqual([])
    expect(await table.create('k', leaseOf(2))).toEqual(expect.any(Number))
    expect((await table.get('k'))?.value.beat).toBe(2)
  })

  it('does not take a value of ours that breaks the contract', async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix() })
    const table = a.bus.table(leasesTable, 'owner')
    const bad = { ...leaseOf(1), holder: 'No Slug' }
    await expect(table.put('k', bad)).rejects.toThrow(/slug/)
    await expect(table.create('k', bad)).rejects.toThrow(/slug/)
    await expect(table.update('k', bad, 1)).rejects.toThrow(/slug/)
    expect(await table.entries()).toEqual([])
  })

  it('skips and counts what somebody else wrote into it that does not fit', async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix() })
    const table = a.bus.table(leasesTable, 'owner')
    await table.put('good', leaseOf(1))
    const kv = await bucketOf(a)
    await kv.put('no-json', '{')
    await kv.put('no-lease', '{"holder":"x"}')
    const bucket = bucketName(a.bus.prefix, leasesTable)
    expect(await table.get('no-json')).toBeUndefined()
    expect(await table.get('no-lease')).toBeUndefined()
    expect(a.counted(`dropped ${bucket} malformed`)).toBe(2)
    expect((await table.entries()).map(({ key }) => key)).toEqual(['good'])
    expect(a.counted(`dropped ${bucket} malformed`)).toBe(4)
  })
})

describe('a watch', () => {
  it('hears what is there, then that it has caught up, then every change and removal', async () => {
    const prefix = ownPrefix()
    await using a = await connectedBus(nats, { prefix, instance: 'a' })
    await using b = await connectedBus(nats, { prefix, instance: 'b' })
    const table = a.bus.table(leasesTable, 'owner')
    await table.put('k1', leaseOf(1))
    await table.put('k2', leaseOf(2))
    const { heard } = watching(b, 'user')
    await waitFor(() => heard.includes('caught up'), 3000)
    expect(heard).toEqual(['k1=1', 'k2=2', 'caught up'])
    await table.put('k1', leaseOf(3))
    await table.remove('k2')
    await table.create('k2', leaseOf(4))
    await waitFor(() => heard.includes('k2=4'), 3000)
    expect(heard.slice(3)).toEqual(['k1=3', 'k2 removed', 'k2=4'])
  })

  it('has caught up at once with an empty table, and hears the revision of a value', async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix() })
    const table = a.bus.table(leasesTable, 'owner')
    const revisions: number[] = []
    let caughtUp = 0
    table.watch(
      (_key, _value, revision) => void revisions.push(revision),
      () => void caughtUp++,
    )
    await waitFor(() => caughtUp === 1, 3000)
    expect(revisions).toEqual([])
    const written = await table.put('k', leaseOf(1))
    await waitFor(() => revisions.length === 1, 3000)
    expect(revisions).toEqual([written])
    await sleep(100)
    expect(caughtUp).toBe(1)
  })

  // How many keys come before and after the watch stands differs from run to run.
  it.each([1, 2, 30, 300])('hears each of %i keys before it has caught up, once', async (keys) => {
    const prefix = ownPrefix()
    await using a = await connectedBus(nats, { prefix, instance: 'a' })
    await using b = await connectedBus(nats, { prefix, instance: 'b' })
    const table = a.bus.table(leasesTable, 'owner')
    await table.entries() // makes the bucket
    await Promise.all(Array.from({ length: keys }, async (_, i) => table.put(`k${i}`, leaseOf(i))))
    const watches = Array.from({ length: 10 }, () => watching(b, 'user'))
    for (const { heard } of watches) {
      await waitFor(() => heard.includes('caught up'), 5000)
      expect(heard.indexOf('caught up')).toBe(keys)
      expect(new Set(heard).size).toBe(keys + 1)
    }
    await table.put('last', leaseOf(1))
    for (const { heard } of watches) {
      await waitFor(() => heard.includes('last=1'), 3000)
      expect(heard.filter((line) => line === 'caught up')).toHaveLength(1)
    }
  })

  it('has caught up once, behind what was there when it began, while others go on writing', async () => {
    const prefix = ownPrefix()
    await using a = await connectedBus(nats, { prefix, instance: 'a' })
    await using b = await connectedBus(nats, { prefix, instance: 'b' })
    const table = a.bus.table(leasesTable, 'owner')
    const kv = await bucketOf(a)
    let isWriting = true
    const write = async () => {
      while (isWriting) await Promise.all([1, 2, 3].map((i) => kv.put(`other-${i}`, JSON.stringify(leaseOf(i)))))
    }
    await table.put('first', leaseOf(1))
    const writing = write()
    const watches = []
    for (let round = 0; round < 40; round++) {
      const opened = [1, 2, 3].map(() => watching(b, 'user'))
      for (const { heard } of opened) await waitFor(() => heard.includes('caught up'), 3000)
      watches.push(...opened)
    }
    isWriting = false
    await writing
    await table.put('last', leaseOf(1))
    for (const { heard, stop } of watches) {
      await waitFor(() => heard.includes('last=1'), 3000)
      expect(heard.indexOf('caught up')).toBeGreaterThan(heard.indexOf('first=1'))
      expect(heard.filter((line) => line === 'caught up')).toHaveLength(1)
      stop()
    }
  })

  it('that begins with removed keys hears of them, and that it has caught up', async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix() })
    const table = a.bus.table(leasesTable, 'owner')
    await table.put('k', leaseOf(1))
    await table.remove('k')
    const { heard } = watching(a, 'owner')
    await waitFor(() => heard.includes('caught up'), 3000)
    expect(heard).toEqual(['k removed', 'caught up'])
  })

  it('is no obstacle to its writer when it holds what nobody can read', async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix() })
    const table = a.bus.table(leasesTable, 'owner')
    await table.put('other', leaseOf(1))
    const kv = await bucketOf(a)
    await kv.put('bad', 'garbage')
    expect(await table.get('bad')).toBeUndefined()
    expect(await table.create('bad', leaseOf(2))).not.toBe('conflict')
    expect((await table.get('bad'))?.value.beat).toBe(2)
    expect(await table.create('bad', leaseOf(3))).toBe('conflict')
  })

  it('skips and counts a malformed value, be it the last before it has caught up', async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix() })
    const table = a.bus.table(leasesTable, 'owner')
    await table.put('good', leaseOf(1))
    const kv = await bucketOf(a)
    await kv.put('bad', '{')
    const { heard } = watching(a, 'owner')
    await waitFor(() => heard.includes('caught up'), 3000)
    await kv.put('good', 'no lease')
    await table.put('bad', leaseOf(2))
    await waitFor(() => heard.includes('bad=2'), 3000)
    expect(heard).toEqual(['good=1', 'caught up', 'bad=2'])
    expect(a.counted(`dropped ${bucketName(a.bus.prefix, leasesTable)} malformed`)).toBe(2)
  })

  it('counts a handler that throws, and goes on with the next value', async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix() })
    const table = a.bus.table(leasesTable, 'owner')
    await table.put('k1', leaseOf(1))
    await table.put('k2', leaseOf(2))
    const heard: string[] = []
    table.watch(
      (key) => {
        heard.push(key)
        if (key === 'k1') throw new Error('not this one')
      },
      () => {
        heard.push('caught up')
        throw new Error('nor this')
      },
    )
    await waitFor(() => heard.includes('caught up'), 3000)
    await table.put('k3', leaseOf(3))
    await waitFor(() => heard.includes('k3'), 3000)
    await sleep(700) // would be enough to begin anew
    expect(heard).toEqual(['k1', 'k2', 'caught up', 'k3'])
    expect(a.counted(`dropped ${bucketName(a.bus.prefix, leasesTable)} handler`)).toBe(2)
    expect(a.said('table handler failed')[0]?.fields).toMatchObject({
      problem: expect.stringContaining('not this one'),
    })
  })

  it('ends with `stop`, also before it has begun', async () => {
    await using a = await connectedBus(nats, { prefix: ownPrefix() })
    const table = a.bus.table(leasesTable, 'owner')
    await table.put('k', leaseOf(1))
    const early = watching(a, 'owner')
    early.stop()
    const late = watching(a, 'owner')
    const other = watching(a, 'owner')
    await waitFor(() => late.heard.includes('caught up') && other.heard.includes('caught up'), 3000)
    late.stop()
    await table.put('k', leaseOf(2))
    await waitFor(() => other.heard.includes('k=2'), 3000)
    expect(early.heard).toEqual([])
    expect(late.heard).toEqual(['k=1', 'caught up'])
  })

  it('of a user waits until an owner has made the bucket', async () => {
    const prefix = ownPrefix()
    await using b = await connectedBus(nats, { prefix, instance: 'b' })
    const { heard } = watching(b, 'user')
    await sleep(300)
    expect(heard).toEqual([])
    await expect(bucketExists(prefix)).resolves.toBe(false)
    await using a = await connectedBus(nats, { prefix, instance: 'a' })
    await a.bus.table(leasesTable, 'owner').put('k', leaseOf(1))
    await waitFor(() => heard.includes('k=1'), 3000)
    await waitFor(() => heard.includes('caught up'), 3000)
  })

  it('is live again when the bucket was deleted and made anew', { timeout: 40_000 }, async () => {
    const prefix = ownPrefix()
    await using a = await connectedBus(nats, { prefix, instance: 'a' })
    await using b = await connectedBus(nats, { prefix, instance: 'b' })
    const table = a.bus.table(leasesTable, 'owner')
    await table.put('k', leaseOf(1))
    const { heard } = watching(b, 'user')
    await waitFor(() => heard.includes('caught up'), 3000)
    await (await user.jetstreamManager()).streams.delete(`KV_${bucketName(prefix, leasesTable)}`)
    expect(await table.update('k', leaseOf(3), 1)).toBe('conflict')
    await table.put('k', leaseOf(2))
    await waitFor(() => heard.includes('k=2'), 30_000)
  })
})

async function bucketExists(prefix: string): Promise<boolean> {
  const jsm = await user.jetstreamManager()
  return jsm.streams.info(`KV_${bucketName(prefix, leasesTable)}`).then(Boolean, () => false)
}

describe('tables of a server that is started anew', () => {
  it('are watched again, current values first, and each time that it has caught up is told once', async () => {
    await using own = await startNats()
    await using a = await connectedBus(own, { instance: 'a' })
    await using b = await connectedBus(own, { instance: 'b' })
    const table = a.bus.table(leasesTable, 'owner')
    await table.put('k1', leaseOf(1))
    await table.put('k2', leaseOf(2))
    const { heard } = watching(b, 'user')
    await waitFor(() => heard.includes('caught up'), 3000)
    for (let round = 0; round < 2; round++) {
      heard.length = 0
      await own.kill()
      await waitFor(() => !a.bus.isConnected() && !b.bus.isConnected(), 2000)
      await own.restart()
      await waitFor(() => heard.includes('caught up'), 3000, 'the watch to catch up')
      await waitFor(() => a.bus.isConnected(), 3000)
      await table.put('k1', leaseOf(10 + round))
      await waitFor(() => heard.includes(`k1=${10 + round}`), 3000)
      await sleep(300)
      expect(heard).toEqual([
        round === 0 ? 'k1=1' : 'k2=2',
        round === 0 ? 'k2=2' : 'k1=10',
        'caught up',
        `k1=${10 + round}`,
      ])
    }
  })

  it('are made anew by their owner when the store is lost, and the watch of a user hears of them', async () => {
    await using own = await startNats()
    await using a = await connectedBus(own, { instance: 'a' })
    await using b = await connectedBus(own, { instance: 'b' })
    const table = a.bus.table(leasesTable, 'owner')
    await table.put('k', leaseOf(1))
    await table.put('lost', leaseOf(1))
    const ofOwner = watching(a, 'owner')
    const ofUser = watching(b, 'user')
    for (const { heard } of [ofOwner, ofUser]) await waitFor(() => heard.includes('caught up'), 3000)
    await own.kill()
    await rm(join(own.storeDir, 'jetstream'), { recursive: true })
    for (const { heard } of [ofOwner, ofUser]) heard.length = 0
    await waitFor(() => !a.bus.isConnected() && !b.bus.isConnected(), 2000)
    await own.restart()
    // The watch of the owner is enough to make the bucket.
    for (const { heard } of [ofOwner, ofUser]) await waitFor(() => heard.includes('caught up'), 4000)
    expect(await table.put('k', leaseOf(2))).toBe(1)
    for (const { heard } of [ofOwner, ofUser]) await waitFor(() => heard.includes('k=2'), 3000)
    expect(ofUser.heard).toEqual(['caught up', 'k=2'])
  })

  it('are watched as soon as the server comes, when it was not there at first', async () => {
    const gone = await startNats()
    await gone.stop()
    await using a = openBus(gone)
    const { heard } = watching(a, 'owner')
    await using back = await startNats({ port: gone.port })
    await waitFor(() => heard.includes('caught up'), 4000)
    expect(back.port).toBe(gone.port)
  })
})
