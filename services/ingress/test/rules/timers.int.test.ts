import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { requestBytes } from '../messages.ts'
import { scene } from '../scene.ts'
import { overTcp, StreamPeer, StreamProxy } from '../stream-peer.ts'

/** Long enough for a timer that is due to have run. */
const aMoment = () => sleep(60)

describe.concurrent('rule 28: timers: they', () => {
  it('C cancels what rang for three minutes without a word, and the caller hears 408', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 180)
    await s.phone.next(180)
    s.lb.skip(179_000)
    s.px1.answer(asked, 183)
    await s.phone.next(183)
    s.lb.skip(179_000)
    await aMoment()
    expect(s.px1.count('CANCEL')).toBe(0)
    s.lb.skip(3000)
    s.px1.answer(await s.px1.next('CANCEL'), 200)
    s.px1.answer(asked, 487)
    await s.px1.next('ACK')
    s.phone.acknowledge(invite, await s.phone.next(408))
    expect([s.phone.count(487), s.px2.count('INVITE')]).toEqual([0, 0])
  })

  it('B ends an INVITE that nobody answers with 408', async () => {
    await using s = await scene()
    s.lb.reconfigure({ default: { proxies: [{ id: 'px1', uri: s.px1.uri }] } })
    s.phone.ask()
    await s.px1.next('INVITE')
    s.lb.skip(33_000)
    await s.phone.next(408)
  })

  it('F ends another request without a word: a 408 would come too late for anybody (RFC 4320)', async () => {
    await using s = await scene()
    s.lb.reconfigure({ default: { proxies: [{ id: 'px1', uri: s.px1.uri }] } })
    const message = s.phone.ask({ method: 'MESSAGE' })
    await s.px1.next('MESSAGE')
    s.lb.skip(33_000)
    await aMoment()
    s.phone.again(message)
    await aMoment()
    expect(s.phone.peer.heard.filter(({ status }) => status >= 200)).toEqual([])
    expect(await s.lb.metric('siplb_sip_retransmissions_total')).toBe(1)
  })

  it('leave nothing behind of calls that came, went, failed over, were cancelled or refused', async () => {
    await using s = await scene()
    const { invite, ok } = await s.call()
    s.phone.follow(invite, ok, 'BYE')
    s.px1.answer(await s.px1.next('BYE'), 200)
    s.phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 503)
    s.px2.answer(await s.px2.next('INVITE'), 486)
    await s.phone.next(486)
    const cancelled = s.phone.ask()
    await s.px1.next('INVITE')
    s.phone.cancel(cancelled)
    const ringing = s.phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 180)
    await s.phone.next(180)
    s.phone.cancel(ringing)
    s.px1.answer(await s.px1.next('CANCEL'), 200)
    s.phone.ask({ maxForwards: '0' })
    s.phone.ask({ method: 'MESSAGE' })
    await s.px1.next('MESSAGE')
    const live = () => s.lb.metric('siplb_transactions')
    await eventually(async () => (await live()) > 8, true)
    for (let i = 0; i < 4; i++) {
      s.lb.skip(40_000)
      await aMoment()
    }
    await eventually(live, 0)
  })

  it('C is not put off by a 100', async () => {
    await using s = await scene()
    s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 100)
    await aMoment()
    s.lb.skip(179_000)
    s.px1.answer(asked, 100)
    await aMoment()
    s.lb.skip(3000)
    await s.px1.next('CANCEL')
    await s.phone.next(408)
  })

  it('H gives up the refusal of an INVITE that nobody acknowledges, after G has repeated it', async () => {
    await using s = await scene()
    const invite = s.phone.ask({ maxForwards: '0' })
    await s.phone.next(483)
    await s.phone.next(483)
    s.lb.skip(33_000)
    await aMoment()
    const count = s.phone.count(483)
    await sleep(600)
    expect(s.phone.count(483)).toBe(count)
    s.phone.again(invite)
    await eventually(() => s.lb.metric('siplb_sip_requests_total', { method: 'INVITE' }), 2)
  })

  it('J and L absorb a request that comes again for 32 s', async () => {
    await using s = await scene()
    const { invite } = await s.call()
    const message = s.phone.ask({ method: 'MESSAGE' })
    s.px1.answer(await s.px1.next('MESSAGE'), 200)
    await s.phone.next(200)
    s.lb.skip(31_000)
    await aMoment()
    s.phone.again(message)
    await s.phone.next(200)
    s.phone.again(invite)
    await aMoment()
    expect([s.px1.countNew('MESSAGE'), s.px1.countNew('INVITE')]).toEqual([1, 1])
    s.lb.skip(2000)
    await aMoment()
    s.phone.again(message)
    s.phone.again(invite)
    await eventually(() => [s.px1.countNew('MESSAGE'), s.px1.countNew('INVITE')], [2, 2])
  })

  it('K absorbs responses that come again', async () => {
    await using s = await scene()
    s.phone.ask({ method: 'MESSAGE' })
    const asked = await s.px1.next('MESSAGE')
    s.px1.answer(asked, 200)
    await s.phone.next(200)
    s.px1.answer(asked, 200)
    await aMoment()
    expect(await s.lb.metric('siplb_sip_dropped_total')).toBe(0)
    s.lb.skip(5500)
    await aMoment()
    s.px1.answer(asked, 200)
    await aMoment()
    expect(await s.lb.metric('siplb_sip_dropped_total', { reason: 'unmatched-response' })).toBe(1)
    expect(s.phone.count(200)).toBe(1)
  })

  it('D acknowledges a refusal again for 32 s', async () => {
    await using s = await scene()
    s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 486)
    await s.px1.next('ACK')
    s.lb.skip(31_000)
    await aMoment()
    s.px1.answer(asked, 486)
    await s.px1.next('ACK')
  })
})

describe.concurrent('rule 28: retransmission over UDP', () => {
  it('an INVITE is repeated after 0.5 s and 1 s as long as nothing comes', async () => {
    const gaps: [number, number][] = []
    // On a busy machine one or the other may be heard late.
    for (let i = 0; i < 3; i++) {
      await using s = await scene()
      s.lb.reconfigure({ default: { proxies: [{ id: 'px1', uri: s.px1.uri }] } })
      s.phone.ask()
      const first = await s.px1.next('INVITE')
      const second = await s.px1.next('INVITE')
      const third = await s.px1.next('INVITE')
      expect(second.bytes).toEqual(first.bytes)
      gaps.push([second.at - first.at, third.at - second.at])
    }
    expect(Math.max(...gaps.map(([gap]) => gap))).toBeGreaterThan(490)
    expect(Math.max(...gaps.map(([, gap]) => gap))).toBeGreaterThan(990)
  })

  it('an INVITE is not repeated after a provisional response', async () => {
    await using s = await scene()
    s.phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 100)
    await aMoment()
    const sent = s.px1.count('INVITE')
    await sleep(1200)
    expect(s.px1.count('INVITE')).toBe(sent)
  })

  it('another request is repeated though there was a provisional response', async () => {
    await using s = await scene()
    s.phone.ask({ method: 'MESSAGE' })
    await s.px1.next('MESSAGE')
    await s.px1.next('MESSAGE', 1500)
  })
})

describe.concurrent('rule 28: requests other than INVITE (RFC 4320)', () => {
  it('get no 408, not even that of a proxy', async () => {
    await using s = await scene()
    s.phone.ask({ method: 'MESSAGE' })
    s.px1.answer(await s.px1.next('MESSAGE'), 408)
    await aMoment()
    expect(s.phone.peer.heard).toEqual([])
  })

  it('get no provisional response of a proxy', async () => {
    await using s = await scene()
    s.phone.ask({ method: 'MESSAGE' })
    const asked = await s.px1.next('MESSAGE')
    for (const status of [100, 180, 183]) s.px1.answer(asked, status)
    s.px1.answer(asked, 200)
    await s.phone.next(200)
    expect(s.phone.peer.heard).toHaveLength(1)
  })
})

describe.concurrent('rule 28: by a connection', () => {
  async function byTcp() {
    const stack = new AsyncDisposableStack()
    const px = stack.use(await StreamProxy.open())
    const s = stack.use(await scene({ listen: ['tcp'], px1Uri: px.uri }))
    s.lb.reconfigure({ default: { proxies: [{ id: 'px1', uri: px.uri }] } })
    const caller = stack.use(await StreamPeer.connect(s.lb.place))
    return { ...s, px, caller, [Symbol.asyncDispose]: () => stack.disposeAsync() }
  }

  it('no request is repeated, A and E do not run, and B and F do', async () => {
    await using s = await byTcp()
    for (const method of ['INVITE', 'MESSAGE']) s.caller.send(requestBytes(overTcp(s.caller, { method })))
    const proxy = await s.px.connection()
    await proxy.next('INVITE')
    await sleep(1200)
    expect([proxy.count('INVITE'), proxy.count('MESSAGE')]).toEqual([1, 1])
    s.lb.skip(33_000)
    await s.caller.next(408)
    expect(s.caller.count(408)).toBe(1)
  })

  it('no refusal is repeated: G does not run', async () => {
    await using s = await byTcp()
    s.caller.send(requestBytes(overTcp(s.caller)))
    const proxy = await s.px.connection()
    proxy.answer(await proxy.next('INVITE'), 486)
    await s.caller.next(486)
    await sleep(1200)
    expect(s.caller.count(486)).toBe(1)
  })

  it('nothing is kept for what could come again: D, I, J and K are 0', async () => {
    await using s = await byTcp()
    const [invite, message] = [overTcp(s.caller), overTcp(s.caller, { method: 'MESSAGE' })]
    for (const one of [invite, message]) s.caller.send(requestBytes(one))
    const proxy = await s.px.connection()
    const [asked, other] = [await proxy.next('INVITE'), await proxy.next('MESSAGE')]
    proxy.answer(asked, 486)
    proxy.answer(other, 200)
    const refusal = await s.caller.next(486)
    await s.caller.next(200)
    s.caller.send(requestBytes({ ...invite, method: 'ACK', to: refusal.one('To'), headers: [] }))
    proxy.answer(asked, 486)
    proxy.answer(other, 200)
    await eventually(() => s.lb.metric('siplb_sip_dropped_total', { reason: 'unmatched-response' }), 2)
    for (const one of [invite, message]) s.caller.send(requestBytes(one))
    await proxy.next('INVITE')
    await proxy.next('MESSAGE')
  })

  it('a late 2xx finds its caller though the transaction ended with the ACK', async () => {
    await using s = await scene({ listen: ['tcp'] })
    await using caller = await StreamPeer.connect(s.lb.place)
    const invite = overTcp(caller)
    caller.send(requestBytes(invite))
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 486, { tag: 'busy' })
    const refusal = await caller.next(486)
    caller.send(requestBytes({ ...invite, method: 'ACK', to: refusal.one('To'), headers: [] }))
    await sleep(50)
    s.px1.answer(asked, 200, { tag: 'late' })
    await caller.next(200)
  })
})
