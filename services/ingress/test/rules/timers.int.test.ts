import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { scene } from '../scene.ts'

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
})

describe.concurrent('rule 28: retransmission over UDP', () => {
  it('an INVITE is repeated after 0.5 s and 1 s as long as nothing comes', async () => {
    await using s = await scene({ pool: { proxies: [] } })
    s.lb.reconfigure({ default: { proxies: [{ id: 'px1', uri: s.px1.uri }] } })
    s.phone.ask()
    const [first, second, third] = [await s.px1.next('INVITE'), await s.px1.next('INVITE'), await s.px1.next('INVITE')]
    expect(second.bytes).toEqual(first.bytes)
    expect(second.at - first.at).toBeGreaterThan(450)
    expect(third.at - second.at).toBeGreaterThan(950)
  })

  it('an INVITE is not repeated after a provisional response', async () => {
    await using s = await scene()
    s.phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 100)
    await sleep(900)
    expect(s.px1.count('INVITE')).toBe(1)
  })

  it('another request is repeated though there was a provisional response', async () => {
    await using s = await scene()
    s.phone.ask({ method: 'MESSAGE' })
    await s.px1.next('MESSAGE')
    await s.px1.next('MESSAGE', 1500)
  })
})
