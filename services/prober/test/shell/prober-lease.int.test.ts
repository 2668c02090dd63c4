import { setTimeout as sleep } from 'node:timers/promises'
import type { Bus } from '@siplb/bus'
import { leasesTable } from '@siplb/contracts'
import { createLogger, nowMs } from '@siplb/runtime'
import { startNats, waitFor, type TestNats } from '@siplb/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ProberLease } from '../../src/shell/prober-lease.ts'
import { connectBus } from '../loop-under-test.ts'

let nats: TestNats
let buses: Bus[]
beforeEach(async () => {
  nats = await startNats()
  buses = []
})
afterEach(async () => {
  for (const bus of buses) await bus.close()
  await nats.stop()
})

async function connected(instance: string): Promise<Bus> {
  const bus = await connectBus(nats.url, instance)
  buses.push(bus)
  return bus
}

async function startLease(bus: Bus, now: () => number = nowMs) {
  const lease = new ProberLease({ bus, now, log: createLogger('prober', bus.instance, { level: 'silent' }) })
  await lease.start()
  return lease
}

const keys = async (bus: Bus) => (await bus.table(leasesTable, 'user').entries()).map(({ key }) => key).sort()

it('probers hear of each other, and not of other leases or of those long dead', async () => {
  const [a, b] = [await connected('a'), await connected('b')]
  const table = a.table(leasesTable, 'owner')
  await table.put('prober.dead', { holder: 'dead', epoch: 0, beat: 4711 })
  const [first, second] = [await startLease(a), await startLease(b)]
  for (let beat = 0; beat < 5; beat++) {
    await table.put('weigher.default', { holder: 'c', epoch: 1, beat })
    await sleep(50)
  }
  const areBoth = (lease: ProberLease) => lease.living(nowMs()).join() === 'a,b'
  await waitFor(() => areBoth(first) && areBoth(second), 5000)
  await second.stop()
  await waitFor(() => first.living(nowMs()).length === 1, 1000)
  expect(await keys(a)).toEqual(['prober.a', 'prober.dead', 'weigher.default'])
  await first.stop()
})

it('waits for the table, and says then that it lives', async () => {
  const bus = await connected('a')
  const lease = await startLease(bus)
  await sleep(300)
  expect(lease.living(nowMs())).toEqual(['a'])
  await bus.table(leasesTable, 'owner').entries()
  const table = bus.table(leasesTable, 'owner')
  const first = await waitFor(() => table.get('prober.a'), 5000)
  expect(first.value).toMatchObject({ holder: 'a', epoch: 0 })
  await waitFor(async () => ((await table.get('prober.a'))?.value.beat ?? 0) > first.value.beat, 5000)
  await lease.stop()
})

it('finds the others again after the bus was gone', async () => {
  const [a, b] = [await connected('a'), await connected('b')]
  await a.table(leasesTable, 'owner').entries()
  const [first, second] = [await startLease(a), await startLease(b)]
  await waitFor(() => first.living(nowMs()).length === 2, 5000)
  await nats.kill()
  await waitFor(() => first.living(nowMs()).length === 1, 5000)
  await nats.restart()
  await waitFor(() => first.living(nowMs()).length === 2 && second.living(nowMs()).length === 2, 8000)
  expect(await keys(a)).toEqual(['prober.a', 'prober.b'])
  await Promise.all([first.stop(), second.stop()])
})

it('takes away the key of a prober that was silent for a minute, and keeps its own', async () => {
  const bus = await connected('a')
  const table = bus.table(leasesTable, 'owner')
  await table.put('prober.dead', { holder: 'dead', epoch: 0, beat: 1 })
  await table.put('weigher.default', { holder: 'c', epoch: 1, beat: 1 })
  let later = 0
  const lease = await startLease(bus, () => nowMs() + later)
  await sleep(1200)
  expect(await keys(bus)).toContain('prober.dead')
  later = 61_000
  await waitFor(async () => !(await keys(bus)).includes('prober.dead'), 5000)
  expect(await keys(bus)).toEqual(['prober.a', 'weigher.default'])
  await lease.stop()
})

it('takes nobody for dead because the bus was gone for a minute', async () => {
  const bus = await connected('a')
  const table = bus.table(leasesTable, 'owner')
  for (const beat of [1, 2]) await table.put('prober.b', { holder: 'b', epoch: 0, beat })
  let later = 0
  const lease = await startLease(bus, () => nowMs() + later)
  const before = await waitFor(() => table.get('prober.a'), 5000)
  await nats.kill()
  await waitFor(() => !bus.isConnected(), 5000)
  later = 61_000
  await nats.restart()
  const beat = async () => (await table.get('prober.a').catch(() => undefined))?.value.beat ?? 0
  const next = await waitFor(async () => {
    const now = await beat()
    return now > before.value.beat && now
  }, 8000)
  await waitFor(async () => (await beat()) > next + 1, 8000)
  expect(await keys(bus)).toContain('prober.b')
  await lease.stop()
})
