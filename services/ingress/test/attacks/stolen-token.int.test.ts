import { expect, describe, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { Phone } from '../phone.ts'
import { contactOf, scene, type Scene } from '../scene.ts'

const tight = { perSecond: 0.001, burst: 3 }
const roomy = { perSecond: 1000, burst: 1000 }

const strangers = (limits: object = {}) =>
  scene({ proxyAddress: '127.0.0.2', ingress: { trusted: [], limits: { perAddress: roomy, ...limits } } })

const expectDropped = (s: Scene, reason: string, count: number) =>
  eventually(() => s.lb.metric('siplb_sip_dropped_total', { reason }), count)

describe.concurrent('a token in the wrong hands', () => {
  it('does not make an invented address real: that was answered elsewhere', async () => {
    await using s = await strangers({ strangers: tight })
    const call = await s.call()
    await using invented = await Phone.open(s.lb.place, '127.0.0.6')
    const shown = {
      from: call.invite.from,
      to: call.ok.one('To'),
      callId: call.invite.callId,
      headers: call.ok.all('Record-Route').map((route) => `Route: ${route}`),
    }
    invented.ask({ ...shown, method: 'INVITE', cseq: 7 })
    s.px1.answer(await s.px1.next('INVITE'), 200, { headers: [contactOf(s.px1)] })
    await invented.next(200)
    invented.ask({ ...shown, method: 'INFO', cseq: 8 })
    await s.px1.next('INFO')
    for (let i = 0; i < 5; i++) invented.ask({ method: 'MESSAGE' })
    await expectDropped(s, 'rate-of-strangers', 3)
  })

  it('opens the way for a dialog, not for a flood', async () => {
    await using s = await strangers()
    const call = await s.call()
    for (let i = 0; i < 400; i++) s.phone.follow(call.invite, call.ok, 'INFO', { cseq: 10 + i })
    await eventually(
      async () => (await s.lb.metric('siplb_sip_dropped_total', { reason: 'rate-of-dialog' })) > 30,
      true,
    )
  })

  it('of a registration, as registrars echo it, passes no limit but from its proxies', async () => {
    await using s = await strangers({ perAddress: tight })
    s.phone.ask({ method: 'REGISTER', uri: 'sip:example.com' })
    const path = (await s.px1.next('REGISTER')).one('Path')
    for (let i = 0; i < 6; i++) {
      s.phone.ask({ method: 'INFO', to: '<sip:bob@example.com>;tag=1', headers: [`Route: ${path}`] })
    }
    await expectDropped(s, 'rate-of-address', 4)
    await eventually(() => s.phone.count(403), 2)
    expect(s.px1.count('INFO')).toBe(0)
  })
})
