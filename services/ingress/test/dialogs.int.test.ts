import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { eventually } from './eventually.ts'
import { startIngress } from './ingress-under-test.ts'
import { Peer } from './peer.ts'
import { Phone } from './phone.ts'
import { contactOf, fromCallee, scene } from './scene.ts'

describe.concurrent('a dialog', () => {
  it('goes on through another ingress that only has the key, with no bus and no memory of the call', async () => {
    await using s = await scene()
    const { invite, ok } = await s.call()
    // There, px2 is the first choice: only the token leads to px1.
    const proxies = [
      { id: 'px1', uri: s.px1.uri, tier: 2 },
      { id: 'px2', uri: s.px2.uri, tier: 1 },
    ]
    await using other = await startIngress({ instance: 'lb2', pools: { default: { proxies } } })
    await using phone = await Phone.open(other.place)
    const elsewhere = ok.all('Record-Route').map((route) => route.replace(s.lb.hostPort, other.hostPort))
    const inDialog = { ...invite, to: ok.one('To'), headers: elsewhere.map((route) => `Route: ${route}`) }
    phone.ask({ ...inDialog, method: 'ACK', via: phone.via() })
    await s.px1.next('ACK')
    phone.ask({ ...inDialog, method: 'BYE', cseq: 2, via: phone.via() })
    s.px1.answer(await s.px1.next('BYE'), 200)
    await phone.next(200)
    expect(s.px2.heard).toEqual([])
  })

  it('goes on by the previous key after a new one has come', async () => {
    const [previous, next] = ['the previous secret of this balancer', 'the next secret of this balancer..']
    await using s = await scene({ secrets: [previous] })
    const { invite, ok } = await s.call()
    const proxies = [{ id: 'px1', uri: s.px1.uri }]
    await using both = await startIngress({ pools: { default: { proxies } }, secrets: [next, previous] })
    await using onlyNew = await startIngress({ pools: { default: { proxies } }, secrets: [next] })
    for (const [lb, status] of [
      [both, 200],
      [onlyNew, 403],
    ] as const) {
      await using phone = await Phone.open(lb.place)
      const routes = ok.all('Record-Route').map((route) => `Route: ${route.replace(s.lb.hostPort, lb.hostPort)}`)
      phone.ask({ ...invite, method: 'INFO', cseq: 2, via: phone.via(), to: ok.one('To'), headers: routes })
      if (status === 200) s.px1.answer(await s.px1.next('INFO'), 200)
      await phone.next(status)
    }
  })

  it('is closed to forged tokens', async () => {
    await using s = await scene()
    const { invite, ok } = await s.call()
    const [route = ''] = ok.all('Record-Route')
    // One of the last characters: a bit of the signature.
    const forged = route.replace(/(.)(..@)/, (_, one: string, rest: string) => `${one === 'A' ? 'B' : 'A'}${rest}`)
    const asked = {
      ...invite,
      method: 'BYE',
      cseq: 2,
      to: '<sip:bob@example.com>;tag=other',
      headers: [`Route: ${forged}`],
    }
    s.phone.ask({ ...asked, via: s.phone.via() })
    await s.phone.next(403)
    s.phone.ask({ method: 'MESSAGE', headers: [`Route: ${route}`] })
    await s.phone.next(403)
    expect([s.px1.count('BYE'), s.px1.count('MESSAGE')]).toEqual([0, 0])
  })
})

describe.concurrent('a request from the callee’s side', () => {
  it('goes to the caller, by the socket that he knows us by', async () => {
    await using s = await scene({ proxyAddress: '127.0.0.2' })
    const call = await s.call()
    s.px1.send(fromCallee(call, 'BYE', s.px1), s.lb.place)
    const bye = await s.phone.next('BYE')
    expect(bye.source).toEqual(s.lb.place)
    expect([bye.requestUri, bye.all('Route')]).toEqual([`sip:alice@${s.phone.peer.hostPort}`, []])
    s.phone.peer.answer(bye, 200)
    await s.px1.next(200)
  })

  it('is taken from any port of a proxy of the pool', async () => {
    await using s = await scene({ proxyAddress: '127.0.0.2' })
    await using otherPort = await Peer.open('127.0.0.2')
    const call = await s.call()
    otherPort.send(fromCallee(call, 'BYE', otherPort), s.lb.place)
    s.phone.peer.answer(await s.phone.next('BYE'), 200)
    await otherPort.next(200)
  })

  it('is refused from anybody else: a token must not make us send where a stranger likes', async () => {
    await using s = await scene({ proxyAddress: '127.0.0.2' })
    await using stranger = await Peer.open('127.0.0.9')
    const call = await s.call()
    stranger.send(fromCallee(call, 'BYE', stranger), s.lb.place)
    await stranger.next(403)
    expect(s.phone.count('BYE')).toBe(0)
  })

  it('is taken from further addresses that the pool names', async () => {
    await using s = await scene({ proxyAddress: '127.0.0.2', pool: { sources: ['127.0.0.9/32'] } })
    await using further = await Peer.open('127.0.0.9')
    const call = await s.call()
    further.send(fromCallee(call, 'BYE', further), s.lb.place)
    await s.phone.next('BYE')
  })

  it('re-INVITEs the caller, and the ACK of it follows', async () => {
    await using s = await scene({ proxyAddress: '127.0.0.2' })
    const call = await s.call()
    s.px1.send(fromCallee(call, 'INVITE', s.px1), s.lb.place)
    const asked = await s.phone.next('INVITE')
    s.phone.peer.answer(asked, 200)
    await s.px1.next(200)
    s.px1.send(fromCallee(call, 'ACK', s.px1), s.lb.place)
    expect((await s.phone.next('ACK')).source).toEqual(s.lb.place)
  })

  it('that leads back to us is a loop', async () => {
    await using s = await scene({ proxyAddress: '127.0.0.2' })
    const call = await s.call()
    const text = fromCallee(call, 'BYE', s.px1).replace(/^BYE \S+/, `BYE sip:alice@${s.lb.hostPort}`)
    s.px1.send(text, s.lb.place)
    await s.px1.next(482)
  })
})

describe.concurrent('the count of dialogs', () => {
  const dialogs = (s: Awaited<ReturnType<typeof scene>>) => () => s.lb.metric('siplb_dialogs')

  it('rises with a call and falls with its BYE', async () => {
    await using s = await scene()
    const { invite, ok } = await s.call()
    await eventually(dialogs(s), 1)
    s.phone.follow(invite, ok, 'BYE')
    s.px1.answer(await s.px1.next('BYE'), 200)
    await eventually(dialogs(s), 0)
  })

  it('falls with a BYE that the proxy knows nothing of any more', async () => {
    await using s = await scene()
    const { invite, ok } = await s.call()
    await eventually(dialogs(s), 1)
    s.phone.follow(invite, ok, 'BYE')
    s.px1.answer(await s.px1.next('BYE'), 481)
    await eventually(dialogs(s), 0)
  })

  it('falls with a BYE of the callee', async () => {
    await using s = await scene()
    const call = await s.call()
    await eventually(dialogs(s), 1)
    s.px1.send(fromCallee(call, 'BYE', s.px1), s.lb.place)
    s.phone.peer.answer(await s.phone.next('BYE'), 200)
    await eventually(dialogs(s), 0)
  })

  it('does not rise again with a copy of the 2xx that comes late', async () => {
    await using s = await scene()
    const { invite, asked, ok } = await s.call()
    await eventually(dialogs(s), 1)
    s.phone.follow(invite, ok, 'BYE')
    s.px1.answer(await s.px1.next('BYE'), 200)
    await eventually(dialogs(s), 0)
    s.px1.answer(asked, 200, { headers: [contactOf(s.px1)] })
    await sleep(400)
    expect(await dialogs(s)()).toBe(0)
  })

  it('does not rise with what is refused, nor with a re-INVITE', async () => {
    await using s = await scene()
    s.phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 486)
    await s.phone.next(486)
    const { invite, ok } = await s.call()
    s.phone.follow(invite, ok, 'INVITE')
    s.px1.answer(await s.px1.next('INVITE'), 200)
    await s.phone.next(200)
    await sleep(400)
    expect(await dialogs(s)()).toBe(1)
  })

  it('forgets a dialog whose end nobody saw after twice its Session-Expires', async () => {
    await using s = await scene()
    s.phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 200, { headers: ['Session-Expires: 1800;refresher=uac'] })
    await s.phone.next(200)
    await eventually(dialogs(s), 1)
    s.lb.skip(3_590_000)
    await sleep(400)
    expect(await dialogs(s)()).toBe(1)
    s.lb.skip(21_000)
    await eventually(dialogs(s), 0)
  })
})
