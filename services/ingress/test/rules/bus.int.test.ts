import { setTimeout as sleep } from 'node:timers/promises'
import { explainQuestion, weightsChanged } from '@siplb/contracts'
import { startNats, waitFor, type TestNats } from '@siplb/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onBus } from '../bus-scene.ts'
import { locate, toPx2 } from '../locate.ts'
import { contactOf } from '../scene.ts'
import { weightTable } from '../weight-tables.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats.stop())

/** Long enough for location to answer on a machine that is busy with other things. */
const patient = { ingress: { routeTimeoutMs: 1000 } }

describe.concurrent('rule 33: one owner, a deadline and a fallback: location', () => {
  it('is asked, and what it says is done', async () => {
    await using s = await onBus(nats, patient)
    const location = await locate(s, toPx2(s))
    const { callId } = s.phone.ask()
    await s.px2.next('INVITE')
    expect(location.callIds).toEqual([callId])
    expect(await s.lb.metric('siplb_route_decisions_total', { source: 'location', proxy: 'px2' })).toBe(1)
    expect(s.px1.heard).toEqual([])
  })

  it('gives 404 and 503 too', async () => {
    await using s = await onBus(nats, patient)
    let outcome: 'no-pool' | 'no-proxy' = 'no-pool'
    await locate(s, (id) => ({ outcome, id }))
    s.phone.ask()
    await s.phone.next(404)
    outcome = 'no-proxy'
    s.phone.ask()
    expect(Number((await s.phone.next(503)).one('Retry-After'))).toBeGreaterThanOrEqual(5)
  })

  it('that hangs is waited for no longer than the budget: then the last table decides', async () => {
    await using s = await onBus(nats)
    await locate(s, () => 'hang')
    const askedAt = performance.now()
    s.phone.ask()
    expect((await s.px1.next('INVITE')).at - askedAt).toBeLessThan(2000)
    expect(await s.lb.metric('siplb_route_fallbacks_total', { why: 'timeout' })).toBe(1)
  })

  it('that is not there costs no wait', async () => {
    await using s = await onBus(nats, { ingress: { routeTimeoutMs: 1000 } })
    s.phone.ask()
    await s.px1.next('INVITE')
    expect(await s.lb.metric('siplb_route_fallbacks_total', { why: 'no-responders' })).toBe(1)
  })

  it('is not asked for requests of a dialog, nor for CANCEL', async () => {
    await using s = await onBus(nats, patient)
    const location = await locate(s, toPx2(s))
    const invite = s.phone.ask()
    const asked = await s.px2.next('INVITE')
    s.px2.answer(asked, 180)
    await s.phone.next(180)
    s.phone.cancel(invite)
    await s.px2.next('CANCEL')
    s.px2.answer(asked, 200, { headers: [contactOf(s.px2)] })
    await s.phone.next(200)
    const ok = await s.phone.next(200)
    s.phone.follow(invite, ok, 'ACK')
    await s.px2.next('ACK')
    s.phone.follow(invite, ok, 'BYE')
    await s.px2.next('BYE')
    expect(location.callIds).toEqual([invite.callId])
  })

  it('leaves the last pick to the ingress: the one with the least work that it has outstanding itself', async () => {
    await using s = await onBus(nats, patient)
    await locate(s, (id) => ({
      ...toPx2(s)(id),
      pick: 'least-work',
      candidates: [
        { proxy: 'px1', uri: s.px1.uri, weight: 1 },
        { proxy: 'px2', uri: s.px2.uri, weight: 1 },
      ],
    }))
    s.phone.ask()
    const asked = await s.px1.next('INVITE')
    const second = s.phone.ask()
    expect((await s.px2.next('INVITE')).one('Call-ID')).toBe(second.callId)
    // A 100 is answer enough: from there on it rings, and that is no work.
    s.px1.answer(asked, 100)
    await sleep(50)
    const third = s.phone.ask()
    expect((await s.px1.next('INVITE')).one('Call-ID')).toBe(third.callId)
  })
})

it('rule 32: change during a transaction: each decision notes the table that it was made by', async () => {
  await using s = await onBus(nats)
  const table = (seq: number) => weightTable([{ id: 'px1', uri: s.px1.uri }], { epoch: 7, seq })
  const decided: unknown[] = []
  for (const seq of [1, 2]) {
    s.other.publish(weightsChanged, { pool: 'default' }, table(seq))
    await waitFor(() => s.lb.revision('default')?.seq === seq, 3000, 'the table')
    const { callId } = s.phone.ask({ method: 'MESSAGE' })
    s.px1.answer(await s.px1.next('MESSAGE'), 200)
    const { decisions } = await s.other.request(explainQuestion, {}, { callId }, 1000)
    decided.push(...decisions)
  }
  expect(decided).toMatchObject([
    { epoch: 7, seq: 1 },
    { epoch: 7, seq: 2 },
  ])
})

describe.concurrent('rule 34: retransmissions stay off the bus: what comes again', () => {
  it('is not asked about again', async () => {
    await using s = await onBus(nats, patient)
    const location = await locate(s, toPx2(s))
    const invite = s.phone.ask()
    s.phone.again(invite)
    s.px2.answer(await s.px2.next('INVITE'), 180)
    await s.phone.next(180)
    s.phone.again(invite)
    await s.phone.next(180)
    expect(location.callIds).toEqual([invite.callId])
  })

  it('is not asked about again while location still thinks, and a 100 comes in time (rule 2)', async () => {
    await using s = await onBus(nats, { ingress: { routeTimeoutMs: 1000 } })
    const location = await locate(s, () => 'hang')
    const invite = s.phone.ask()
    await s.phone.next(100)
    expect(s.px1.heard).toEqual([])
    s.phone.again(invite)
    await s.phone.next(100)
    await s.px1.next('INVITE')
    expect(location.callIds).toEqual([invite.callId])
    expect(s.px1.countNew('INVITE')).toBe(1)
  })

  it('holds up no call: what we tell is sent when there is time, and lost while the bus is frozen', async () => {
    await using own = await startNats()
    await using s = await onBus(own)
    await own.freeze()
    const askedAt = performance.now()
    for (let i = 0; i < 5; i++) {
      s.phone.ask({ method: 'MESSAGE' })
      s.px1.answer(await s.px1.next('MESSAGE'), 200)
      await s.phone.next(200)
    }
    own.thaw()
    expect(performance.now() - askedAt).toBeLessThan(8000)
  })
})
