import { setTimeout as sleep } from 'node:timers/promises'
import { trafficSeen, weightsChanged, weightsShadowed, type Traffic, type WeightTable } from '@siplb/contracts'
import { startNats, waitFor, type TestNats } from '@siplb/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onBus, type BusScene } from './bus-scene.ts'
import { weightTable } from './weight-tables.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats.stop())

/** All to px1 really; of four requests three to px2 by the shadow. */
const live = (s: BusScene) => weightTable([{ id: 'px1', uri: s.px1.uri }])
const shadow = (s: BusScene, parts: Partial<WeightTable> = {}) =>
  weightTable(
    [
      { id: 'px1', uri: s.px1.uri, weight: 25 },
      { id: 'px2', uri: s.px2.uri, weight: 75 },
    ],
    { policy: 'smooth-round-robin', ...parts },
  )

/** Counts of `shadow` over all reports, by proxy; undefined where no report has one. */
function told(reports: readonly Traffic[], proxy: string): number | undefined {
  const counts = reports.flatMap(({ proxies }) =>
    proxies.flatMap((one) => (one.proxy === proxy && one.shadow !== undefined ? [one.shadow] : [])),
  )
  return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0)
}

const requestsIn = (reports: readonly Traffic[], proxy: string) =>
  reports.flatMap(({ proxies }) => proxies).reduce((sum, one) => sum + (one.proxy === proxy ? one.requests : 0), 0)

async function begin(s: BusScene): Promise<Traffic[]> {
  const reports: Traffic[] = []
  s.other.subscribe(trafficSeen, { pool: 'default' }, ({ data }) => reports.push(data))
  // The same proxies as the shadow has, the second of which takes nothing.
  const both = weightTable([
    { id: 'px1', uri: s.px1.uri },
    { id: 'px2', uri: s.px2.uri, weight: 0 },
  ])
  s.other.publish(weightsChanged, { pool: 'default' }, { ...live(s), proxies: both.proxies })
  await waitFor(() => s.lb.revision('default')?.epoch === 1, 3000, 'the table')
  return reports
}

async function say(s: BusScene, table: WeightTable, pool = 'default'): Promise<void> {
  s.other.publish(weightsShadowed, { pool }, table)
  await sleep(50)
}

async function send(s: BusScene, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    s.phone.ask({ method: 'MESSAGE' })
    s.px1.answer(await s.px1.next('MESSAGE'), 200)
    await s.phone.next(200)
  }
}

describe.concurrent('the shadow of a pool', () => {
  it('is told what it would have chosen, and moves no request', async () => {
    await using s = await onBus(nats)
    const reports = await begin(s)
    await say(s, shadow(s))
    await send(s, 20)
    await waitFor(() => requestsIn(reports, 'px1') === 20, 3000, 'the reports')
    expect([told(reports, 'px1'), told(reports, 'px2')]).toEqual([5, 15])
    expect(s.px2.heard).toEqual([])
    expect(await s.lb.metric('siplb_shadow_decisions_total', { proxy: 'px2' })).toBe(15)
    expect(await s.lb.metric('siplb_route_decisions_total', { proxy: 'px2' })).toBe(0)
  })

  it('that was never heard of is not told of', async () => {
    await using s = await onBus(nats)
    const reports = await begin(s)
    await say(s, shadow(s), 'other')
    await send(s, 2)
    await waitFor(() => requestsIn(reports, 'px1') === 2, 3000, 'the reports')
    expect(told(reports, 'px1')).toBeUndefined()
  })

  it('is followed from table to table of its writer, and not back to an older one', async () => {
    await using s = await onBus(nats)
    const reports = await begin(s)
    await say(s, shadow(s, { epoch: 2, seq: 5 }))
    const onlyPx2 = shadow(s, { epoch: 2, seq: 6 })
    await say(s, { ...onlyPx2, proxies: onlyPx2.proxies.slice(1) })
    await say(s, shadow(s, { epoch: 1, seq: 9 }))
    await send(s, 8)
    await waitFor(() => requestsIn(reports, 'px1') === 8, 3000, 'the reports')
    expect([told(reports, 'px1'), told(reports, 'px2')]).toEqual([0, 8])
  })

  it('that is repeated no more is forgotten', async () => {
    await using s = await onBus(nats)
    const reports = await begin(s)
    await say(s, shadow(s))
    await waitFor(() => told(reports, 'px1') === 0, 3000, 'the shadow')
    s.lb.skip(20_000)
    await sleep(600)
    reports.length = 0
    await waitFor(() => reports.length > 1, 3000, 'reports')
    expect(told(reports, 'px1')).toBeUndefined()
  })
})
