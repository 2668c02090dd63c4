import { setTimeout as sleep } from 'node:timers/promises'
import { startNats, type TestNats } from '@siplb/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onBus } from '../bus-scene.ts'
import { locate } from '../locate.ts'
import { scene } from '../scene.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats.stop())

describe.concurrent('rule 9: CANCEL hop by hop: it', () => {
  it('is answered at once, and goes on hop by hop', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 180)
    await s.phone.next(180)
    s.phone.cancel(invite)
    expect((await s.phone.next(200)).one('CSeq')).toBe('1 CANCEL')
    const cancel = await s.px1.next('CANCEL')
    expect(cancel.requestUri).toBe(asked.requestUri)
    expect(cancel.all('Via')).toEqual(asked.all('Via').slice(0, 1))
    for (const name of ['From', 'To', 'Call-ID']) expect(cancel.one(name)).toBe(asked.one(name))
    expect(cancel.one('CSeq')).toBe('1 CANCEL')
    expect(cancel.source).toEqual(asked.source)
    s.px1.answer(cancel, 200)
    s.px1.answer(asked, 487)
    s.phone.acknowledge(invite, await s.phone.next(487))
    expect((await s.px1.next('ACK')).branch).toBe(asked.branch)
    expect(s.phone.count(200)).toBe(1)
  })

  it('waits for a provisional response', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.phone.cancel(invite)
    await s.phone.next(200)
    await sleep(150)
    expect(s.px1.count('CANCEL')).toBe(0)
    s.px1.answer(asked, 100)
    await s.px1.next('CANCEL')
    s.px1.answer(asked, 487)
    await s.phone.next(487)
  })

  it('that comes again is answered again, and goes on once', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 180)
    await s.phone.next(180)
    s.phone.cancel(invite)
    await s.phone.next(200)
    s.phone.cancel(invite)
    await s.phone.next(200)
    s.px1.answer(await s.px1.next('CANCEL'), 200)
    await sleep(100)
    expect(s.px1.count('CANCEL')).toBe(1)
  })

  it('carries the Route of the INVITE that it means', async () => {
    await using s = await scene()
    const { invite, ok } = await s.call()
    const routes = [`Route: <${s.px1.uri};lr>`]
    const again = s.phone.follow(invite, ok, 'INVITE', { headers: routes })
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 180)
    await s.phone.next(180)
    s.phone.cancel(again)
    expect((await s.px1.next('CANCEL')).all('Route')).toEqual([`<${s.px1.uri};lr>`])
  })

  it('of nothing that we know gets 481 and goes nowhere', async () => {
    await using s = await scene()
    s.phone.ask({ method: 'CANCEL' })
    await s.phone.next(481)
    expect([s.px1.count('CANCEL'), s.px2.count('CANCEL')]).toEqual([0, 0])
  })

  it('that comes after the answer is answered and goes nowhere', async () => {
    await using s = await scene()
    const { invite } = await s.call()
    s.phone.cancel(invite)
    await s.phone.next(200)
    await sleep(50)
    expect(s.px1.count('CANCEL')).toBe(0)
  })

  it('that crosses a 2xx does not keep it from the caller', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 180)
    await s.phone.next(180)
    s.phone.cancel(invite)
    await s.px1.next('CANCEL')
    s.px1.answer(asked, 200)
    expect((await s.phone.next(200)).one('CSeq')).toBe('1 CANCEL')
    expect((await s.phone.next(200)).one('CSeq')).toBe('1 INVITE')
  })
})

it('rule 9: CANCEL hop by hop: one that comes before location has answered ends the call, and nobody is asked', async () => {
  await using s = await onBus(nats, { ingress: { routeTimeoutMs: 300 } })
  await locate(s, () => 'hang')
  const invite = s.phone.ask()
  await s.phone.next(100)
  s.phone.cancel(invite)
  await s.phone.next(200)
  s.phone.acknowledge(invite, await s.phone.next(487))
  await sleep(400)
  expect([...s.px1.heard, ...s.px2.heard]).toEqual([])
})

it('rule 10: CANCEL against failover: after a CANCEL no other proxy is tried', async () => {
  await using s = await scene()
  const invite = s.phone.ask()
  const asked = await s.px1.next('INVITE')
  s.phone.cancel(invite)
  await s.phone.next(200)
  await sleep(600)
  s.px1.answer(asked, 503)
  await s.phone.next(500)
  expect(s.px2.heard).toEqual([])
})
