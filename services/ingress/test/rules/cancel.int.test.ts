import { setTimeout as sleep } from 'node:timers/promises'
import { startNats, type TestNats } from '@siplb/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { onBus } from '../bus-scene.ts'
import { locate } from '../locate.ts'
import { Peer } from '../peer.ts'
import { Phone } from '../phone.ts'
import { fromCallee, scene } from '../scene.ts'

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

  it('ends the call when no 487 comes within 32 s', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 180)
    await s.phone.next(180)
    s.phone.cancel(invite)
    s.px1.answer(await s.px1.next('CANCEL'), 200)
    s.lb.skip(33_000)
    await s.phone.next(487)
  })

  it('goes to every branch that has spoken, and to the others as soon as they do', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    const silent = await s.px1.next('INVITE')
    const asked = await s.px2.next('INVITE')
    s.px2.answer(asked, 180)
    await s.phone.next(180)
    s.phone.cancel(invite)
    expect((await s.px2.next('CANCEL')).branch).toBe(asked.branch)
    expect(s.px1.count('CANCEL')).toBe(0)
    s.px1.answer(silent, 100)
    expect((await s.px1.next('CANCEL')).branch).toBe(silent.branch)
    s.px2.answer(asked, 487)
    await s.px2.next('ACK')
    s.px1.answer(silent, 487)
    await s.phone.next(487)
    await sleep(50)
    expect(s.phone.count(487)).toBe(1)
  })

  it('without a magic cookie finds its INVITE by all that RFC 2543 compared', async () => {
    await using s = await scene()
    const via = `SIP/2.0/UDP ${s.phone.peer.hostPort};branch=1`
    const invite = s.phone.ask({ via })
    s.px1.answer(await s.px1.next('INVITE'), 180)
    await s.phone.next(180)
    s.phone.cancel({ ...invite, cseq: 2 })
    s.phone.cancel({ ...invite, callId: 'other' })
    await s.phone.next(481)
    await s.phone.next(481)
    s.phone.cancel(invite)
    await s.phone.next(200)
    await s.px1.next('CANCEL')
  })

  it('is known by the branch alone: another one of the same call gets 481', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 180)
    await s.phone.next(180)
    s.phone.cancel({ ...invite, via: s.phone.via() })
    await s.phone.next(481)
    s.phone.cancel(invite)
    await s.px1.next('CANCEL')
    expect(s.px1.count('CANCEL')).toBe(1)
  })

  it('says on why it came (RFC 3326)', async () => {
    await using s = await scene()
    const reason = 'SIP ;cause=200 ;text="Call completed elsewhere"'
    const { uri, via, from, to, callId, cseq } = s.phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 180)
    await s.phone.next(180)
    const headers = [`Reason: ${reason}, Q.850 ;cause=16`]
    s.phone.ask({ method: 'CANCEL', uri, via, from, to, callId, cseq, headers })
    expect((await s.px1.next('CANCEL')).all('Reason')).toEqual([reason, 'Q.850 ;cause=16'])
  })

  it('goes on though its reason cannot be said', async () => {
    await using s = await scene()
    const { uri, via, from, to, callId, cseq } = s.phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 180)
    await s.phone.next(180)
    s.phone.ask({ method: 'CANCEL', uri, via, from, to, callId, cseq, headers: ['Reason: SIP\0;cause=200'] })
    expect((await s.px1.next('CANCEL')).all('Reason')).toEqual([])
  })

  it('from the callee’s side goes to the phone as its INVITE did', async () => {
    await using s = await scene({ proxyAddress: '127.0.0.2' })
    const call = await s.call()
    const invite = fromCallee(call, 'INVITE', s.px1)
    s.px1.send(invite, s.lb.place)
    const asked = await s.phone.next('INVITE')
    s.phone.peer.answer(asked, 180)
    await s.px1.next(180)
    s.px1.send(invite.replaceAll('INVITE', 'CANCEL'), s.lb.place)
    const cancel = await s.phone.next('CANCEL')
    expect([cancel.source, cancel.branch]).toEqual([s.lb.place, asked.branch])
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

describe.concurrent('rule 10: CANCEL against failover: after it', () => {
  it('no other proxy is tried', async () => {
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

  it('no other proxy is tried because the first is gone', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    await s.px1.next('INVITE')
    s.phone.cancel(invite)
    await s.phone.next(200)
    await s.px1.close()
    // The next that is sent there finds the port closed, and so tells of all that wait.
    s.phone.ask({ method: 'MESSAGE' })
    expect((await s.phone.next(487)).one('CSeq')).toBe('1 INVITE')
    await s.px2.next('MESSAGE')
    expect(s.px2.count('INVITE')).toBe(0)
  })

  it('nothing is sent to whose name was still looked up', async () => {
    await using s = await scene()
    await using proxy = await Phone.open(s.lb.place)
    await using carrier = await Peer.open()
    const outbound = [`sip:localhost:${carrier.place.port}`]
    s.lb.reconfigure({ default: { proxies: [{ id: 'px1', uri: proxy.peer.uri }], outbound } })
    const invite = proxy.ask()
    proxy.cancel(invite)
    await proxy.next(487)
    await sleep(50)
    expect(carrier.heard).toEqual([])
    proxy.ask()
    await carrier.next('INVITE')
  })
})
