import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { tableSnapshot, weightsChanged, weightsTable, type WeightTable } from '@siplb/contracts'
import { weightTables } from '@siplb/bus'
import { startNats, waitFor, type TestNats } from '@siplb/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onBus, type BusScene } from './bus-scene.ts'
import { startIngress, type IngressUnderTest } from './ingress-under-test.ts'
import { Phone } from './phone.ts'
import type { Scene } from './scene.ts'
import { weightTable } from './weight-tables.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats.stop())

describe.concurrent('the weight table', () => {
  const table = (s: Scene, first: 'px1' | 'px2', parts: Partial<WeightTable> = {}) =>
    weightTable(
      [
        { id: 'px1', uri: s.px1.uri, tier: first === 'px1' ? 1 : 2 },
        { id: 'px2', uri: s.px2.uri, tier: first === 'px2' ? 1 : 2 },
      ],
      parts,
    )

  async function expectCallAt(s: Scene, proxy: 'px1' | 'px2', lb: IngressUnderTest = s.lb): Promise<void> {
    await using phone = await Phone.open(lb.place)
    phone.ask({ method: 'MESSAGE' })
    s[proxy].answer(await s[proxy].next('MESSAGE'), 200)
    await phone.next(200)
  }

  /** Long enough for what was said to be heard. */
  const heard = (s: BusScene) => sleep(100).then(() => s.other.isConnected())

  it('is taken from the store, and from what the weigher says', async () => {
    await using s = await onBus(nats)
    await expectCallAt(s, 'px1')
    const store = s.other.table(weightsTable, 'owner')
    await store.put('default', table(s, 'px2'))
    await waitFor(() => s.lb.revision('default')?.seq === 1, 3000, 'the table in the store')
    await expectCallAt(s, 'px2')
    s.other.publish(weightsChanged, { pool: 'default' }, table(s, 'px1', { seq: 2 }))
    await waitFor(() => s.lb.revision('default')?.seq === 2, 3000, 'the event')
    await expectCallAt(s, 'px1')
    s.other.publish(tableSnapshot, { pool: 'default' }, table(s, 'px2', { seq: 3 }))
    await waitFor(() => s.lb.revision('default')?.seq === 3, 3000, 'the snapshot')
    await expectCallAt(s, 'px2')
  })

  it('of thousands of proxies is taken from the store, where events have only some rows, and a newer small one is not undone by it', async () => {
    await using s = await onBus(nats)
    const store = weightTables(s.other, 'owner')
    const many = Array.from({ length: 3000 }, (_, i) => ({
      id: `other${i}`,
      uri: `sip:127.2.${i >> 8}.${i & 255}`,
      tier: 3,
    }))
    const large = (seq: number) =>
      weightTable([{ id: 'px1', uri: s.px1.uri, tier: 2 }, { id: 'px2', uri: s.px2.uri }, ...many], { seq })
    s.other.publish(
      weightsChanged,
      { pool: 'default' },
      { ...large(1), parts: 7, proxies: large(1).proxies.slice(1, 2) },
    )
    await heard(s)
    expect(s.lb.revision('default')?.seq).toBe(0)
    await expectCallAt(s, 'px1')
    await store.put('default', large(2))
    await waitFor(() => s.lb.revision('default')?.seq === 2, 5000, 'the large table')
    await expectCallAt(s, 'px2')
    await store.put('default', large(3))
    s.other.publish(weightsChanged, { pool: 'default' }, table(s, 'px1', { seq: 4 }))
    await waitFor(() => s.lb.revision('default')?.seq === 4, 3000, 'the small table')
    await sleep(500)
    expect(s.lb.revision('default')?.seq).toBe(4)
    await expectCallAt(s, 'px1')
  })

  it('never goes back within an epoch, and a higher epoch always wins', async () => {
    await using s = await onBus(nats)
    const say = async (given: WeightTable) => {
      s.other.publish(weightsChanged, { pool: 'default' }, given)
      await heard(s)
    }
    await say(table(s, 'px2', { epoch: 3, seq: 7 }))
    await say(table(s, 'px1', { epoch: 3, seq: 6 }))
    await say(table(s, 'px1', { epoch: 2, seq: 99 }))
    await expectCallAt(s, 'px2')
    await say(table(s, 'px1', { epoch: 4, seq: 1 }))
    await expectCallAt(s, 'px1')
  })

  it('of a pool that is not in the file is nobody’s', async () => {
    await using s = await onBus(nats)
    s.other.publish(weightsChanged, { pool: 'other' }, table(s, 'px2', { pool: 'other' }))
    await heard(s)
    expect(s.lb.revision('other')).toBeUndefined()
    await expectCallAt(s, 'px1')
  })

  it('under the name of another pool is none: who may speak for one may not for all', async () => {
    await using s = await onBus(nats)
    s.other.publish(weightsChanged, { pool: 'other' }, table(s, 'px2', { epoch: 9 }))
    await heard(s)
    expect(s.lb.revision('default')).toEqual({ epoch: 0, seq: 0 })
  })

  it('stays over a reload of the file, which only counts for pools of which nothing was heard', async () => {
    await using s = await onBus(nats)
    s.other.publish(weightsChanged, { pool: 'default' }, table(s, 'px2'))
    await waitFor(() => s.lb.revision('default')?.seq === 1, 3000)
    s.lb.reconfigure({ default: { proxies: [{ id: 'px1', uri: s.px1.uri }] } })
    await expectCallAt(s, 'px2')
  })

  it('is kept on disk: a cold start without a bus goes by it', async () => {
    const stateDir = await mkdtemp(join(tmpdir(), 'siplb-ingress-'))
    try {
      const pools = async () => {
        await using s = await onBus(nats, { stateDir })
        s.other.publish(weightsChanged, { pool: 'default' }, table(s, 'px2', { epoch: 5, seq: 3 }))
        await waitFor(() => s.lb.revision('default')?.epoch === 5, 3000)
        await expectCallAt(s, 'px2')
        // The same proxies, px1 first as the file has it.
        await using cold = await startIngress({
          stateDir,
          pools: { default: { proxies: [s.px1, s.px2].map(({ uri }, i) => ({ id: `px${i + 1}`, uri, tier: i + 1 })) } },
        })
        expect(cold.revision('default')).toEqual({ epoch: 5, seq: 3 })
        await expectCallAt(s, 'px2', cold)
      }
      await pools()
    } finally {
      await rm(stateDir, { recursive: true })
    }
  })

  it('that says a proxy is down moves what rings there to another one', async () => {
    await using s = await onBus(nats)
    s.phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 180)
    await s.phone.next(180)
    const [first, ...others] = table(s, 'px1').proxies
    const down = first === undefined ? [] : [{ ...first, state: 'down' as const, weight: 0 }]
    s.other.publish(weightsChanged, { pool: 'default' }, { ...table(s, 'px1'), proxies: [...down, ...others] })
    s.px2.answer(await s.px2.next('INVITE'), 200)
    await s.phone.next(200)
  })

  it('that says again that a proxy is down does not disturb what was sent there since', async () => {
    await using s = await onBus(nats)
    const { invite, ok } = await s.call()
    const down = (seq: number) => ({
      ...table(s, 'px1', { seq }),
      proxies: table(s, 'px1').proxies.map((row) =>
        row.id === 'px1' ? { ...row, state: 'down' as const, weight: 0 } : row,
      ),
    })
    s.other.publish(weightsChanged, { pool: 'default' }, down(1))
    await waitFor(() => s.lb.revision('default')?.seq === 1, 3000)
    s.phone.follow(invite, ok, 'BYE')
    const bye = await s.px1.next('BYE')
    s.other.publish(weightsChanged, { pool: 'default' }, down(2))
    await waitFor(() => s.lb.revision('default')?.seq === 2, 3000)
    s.px1.answer(bye, 200)
    await s.phone.next(200)
    expect(s.phone.count(503)).toBe(0)
  })
})
