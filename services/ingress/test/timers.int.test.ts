import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { eventually } from './eventually.ts'
import { scene } from './scene.ts'

/** Long enough for a timer that is due to have run. */
const aMoment = () => sleep(60)

describe.concurrent('rule 28: timers', () => {
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

  it('end a cancelled call when no 487 comes within 32 s', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 180)
    await s.phone.next(180)
    s.phone.cancel(invite)
    s.px1.answer(await s.px1.next('CANCEL'), 200)
    s.lb.skip(33_000)
    await s.phone.next(487)
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

  it('let a dialog whose end nobody saw run out after twice its Session-Expires', async () => {
    await using s = await scene()
    s.phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 200, { headers: ['Session-Expires: 1800;refresher=uac'] })
    await s.phone.next(200)
    const dialogs = () => s.lb.metric('siplb_dialogs')
    await eventually(dialogs, 1)
    s.lb.skip(3_590_000)
    await sleep(400)
    expect(await dialogs()).toBe(1)
    s.lb.skip(11_000)
    await eventually(dialogs, 0)
  })

  it('believe a refusal for two seconds', async () => {
    await using s = await scene()
    await s.px1.close()
    s.phone.ask({ method: 'MESSAGE' })
    s.px2.answer(await s.px2.next('MESSAGE'), 200)
    const refused = () => s.lb.metric('siplb_proxy_refused_total')
    s.phone.ask({ method: 'MESSAGE' })
    s.px2.answer(await s.px2.next('MESSAGE'), 200)
    expect(await refused()).toBe(1)
    s.lb.skip(2500)
    s.phone.ask({ method: 'MESSAGE' })
    s.px2.answer(await s.px2.next('MESSAGE'), 200)
    expect(await refused()).toBe(2)
  })
})
