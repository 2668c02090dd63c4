import { waitFor } from '@siplb/testkit'
import { describe, expect, it } from 'vitest'
import { startIngress } from './ingress-under-test.ts'
import { Phone } from './phone.ts'
import { contactOf, scene } from './scene.ts'

describe.concurrent('a dialog whose proxy is gone', () => {
  /** Proxies that record themselves, as most do, so that their own address stands in the route set. */
  async function callAt(s: Awaited<ReturnType<typeof scene>>) {
    const invite = s.phone.ask()
    const asked = await s.px1.next('INVITE')
    const recorded = `Record-Route: <${s.px1.uri};lr;ftag=x>`
    const text = [`${recorded}\r\nRecord-Route: ${asked.one('Record-Route')}`, contactOf(s.px1)]
    s.px1.send(
      [
        'SIP/2.0 200 OK',
        ...asked.all('Via').map((via) => `Via: ${via}`),
        ...text,
        `From: ${asked.one('From')}`,
        `To: ${asked.one('To')};tag=callee`,
        `Call-ID: ${asked.one('Call-ID')}`,
        `CSeq: ${asked.one('CSeq')}`,
        'Content-Length: 0',
        '',
        '',
      ].join('\r\n'),
      asked.source,
    )
    return { invite, ok: await s.phone.next(200) }
  }

  it('moves, ACK and BYE, where the pool lets it, and the Route names the one that stands in', async () => {
    await using s = await scene({ pool: { dialogFailover: true } })
    const { invite, ok } = await callAt(s)
    await s.px1.close()
    s.phone.follow(invite, ok, 'ACK')
    const ack = await s.px2.next('ACK')
    expect(ack.all('Route')).toEqual([`<${s.px2.uri};lr>`])
    s.phone.follow(invite, ok, 'BYE')
    const bye = await s.px2.next('BYE')
    expect(bye.all('Route')).toEqual([`<${s.px2.uri};lr>`])
    s.px2.answer(bye, 200)
    await s.phone.next(200)
  })

  it('stays with it as long as it lives', async () => {
    await using s = await scene({ pool: { dialogFailover: true } })
    const { invite, ok } = await callAt(s)
    s.phone.follow(invite, ok, 'ACK')
    expect((await s.px1.next('ACK')).all('Route')).toEqual([`<${s.px1.uri};lr;ftag=x>`])
    s.phone.follow(invite, ok, 'INVITE')
    s.px1.answer(await s.px1.next('INVITE'), 503)
    await s.phone.next(500)
    expect(s.px2.heard).toEqual([])
  })

  it('does not move elsewhere: the caller hears 503, without being sent away', async () => {
    await using s = await scene()
    const { invite, ok } = await callAt(s)
    await s.px1.close()
    s.phone.follow(invite, ok, 'BYE')
    expect((await s.phone.next(503)).all('Retry-After')).toEqual([])
    expect(s.px2.heard).toEqual([])
  })

  it('goes on at a proxy that has left the list, and gets 481 where nobody ever heard of it', async () => {
    await using s = await scene()
    const { invite, ok } = await callAt(s)
    const proxies = [{ id: 'px2', uri: s.px2.uri }]
    s.lb.reconfigure({ default: { proxies } })
    s.phone.follow(invite, ok, 'INFO')
    s.px1.answer(await s.px1.next('INFO'), 200)
    await s.phone.next(200)
    await using other = await startIngress({ instance: 'lb2', pools: { default: { proxies } } })
    await using phone = await Phone.open(other.place)
    const routes = ok.all('Record-Route').toReversed()
    const elsewhere = routes.map((route) => `Route: ${route.replace(s.lb.hostPort, other.hostPort)}`)
    phone.ask({ ...invite, method: 'BYE', cseq: 2, via: phone.via(), to: ok.one('To'), headers: elsewhere })
    await phone.next(481)
  })
})

it('a pool in trouble does not get every request twice: failover has a budget', async () => {
  // However long it takes, nothing is earned meanwhile.
  await using s = await scene({ retry: { perSecond: 0 } })
  const asked = 140
  for (let i = 0; i < asked; i++) {
    s.phone.ask({ method: 'MESSAGE' })
    s.px1.answer(await s.px1.next('MESSAGE'), 503)
  }
  await waitFor(() => s.phone.count(503) + s.phone.count(500) + s.px2.count('MESSAGE') >= asked, 5000)
  expect(s.px2.count('MESSAGE')).toBeGreaterThanOrEqual(100)
  expect(s.phone.count(500)).toBeGreaterThan(0)
})

it('a refusal is believed for two seconds', async () => {
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
