import { explainQuestion } from '@siplb/contracts'
import { startNats, waitFor, type TestNats } from '@siplb/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onBus } from './bus-scene.ts'
import { locate, toPx2 } from './locate.ts'
import { scene } from './scene.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats.stop())

describe.concurrent('without NATS', () => {
  it('calls go on as soon as it is gone, and location is asked again when it is back', async () => {
    await using own = await startNats()
    await using s = await scene({ nats: own.url })
    s.phone.ask({ method: 'MESSAGE' })
    s.px1.answer(await s.px1.next('MESSAGE'), 200)
    await s.phone.next(200)
    await own.kill()
    await waitFor(() => !s.lb.bus.isConnected(), 5000, 'the ingress to notice')
    s.phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 200)
    await s.phone.next(200)
    expect(await s.lb.metric('siplb_route_fallbacks_total', { why: 'disconnected' })).toBe(1)
    await own.restart()
    await waitFor(() => s.lb.bus.isConnected(), 5000, 'the ingress to be back')
    s.phone.ask()
    await s.px1.next('INVITE')
    expect(await s.lb.metric('siplb_route_fallbacks_total', { why: 'no-responders' })).toBe(2)
  })
})

it('a fault of ours in one request hurts no other, nor the process', async () => {
  let decisions = 0
  const onDecision = () => {
    decisions += 1
    if (decisions === 1) throw new Error('broken on purpose')
  }
  await using s = await onBus(nats, { onDecision })
  await locate(s, toPx2(s))
  const bad = s.phone.ask({ method: 'MESSAGE' })
  const good = s.phone.ask({ method: 'MESSAGE' })
  expect((await s.px2.next('MESSAGE')).one('Call-ID')).toBe(good.callId)
  expect((await s.phone.next(500)).one('Call-ID')).toBe(bad.callId)
  expect(await s.lb.metric('siplb_sip_dropped_total', { reason: 'error' })).toBe(1)
})

it('who asks why a call went where it went is told', async () => {
  await using s = await onBus(nats)
  await locate(s, toPx2(s))
  const { callId } = s.phone.ask()
  s.px2.answer(await s.px2.next('INVITE'), 486)
  await s.phone.next(486)
  const { decisions } = await s.other.request(explainQuestion, {}, { callId }, 1000)
  expect(decisions).toMatchObject([
    {
      ...{ callId, method: 'INVITE', ingress: 'lb1', source: 'location', pool: 'default', epoch: 1, seq: 1 },
      candidates: [{ proxy: 'px2' }],
      tried: [{ proxy: 'px2', outcome: 'refusal' }],
    },
  ])
})
