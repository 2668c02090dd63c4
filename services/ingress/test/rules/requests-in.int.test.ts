import { setTimeout as sleep } from 'node:timers/promises'
import { waitFor } from '@siplb/testkit'
import { describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { startIngress } from '../ingress-under-test.ts'
import type { RequestParts } from '../messages.ts'
import { Peer } from '../peer.ts'
import { Phone, token } from '../phone.ts'
import { contactOf, fromCallee, scene, type Scene } from '../scene.ts'

/** From now on px2 is the first choice. */
function preferPx2(s: Scene): void {
  s.lb.reconfigure({
    default: {
      proxies: [
        { id: 'px1', uri: s.px1.uri, tier: 2 },
        { id: 'px2', uri: s.px2.uri, tier: 1 },
      ],
    },
  })
}

describe.concurrent('rule 1: retransmission absorption: a request that comes again', () => {
  it('is absorbed: one INVITE goes on, and its last response comes again', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.phone.again(invite)
    s.phone.again(invite)
    s.px1.answer(asked, 180)
    await s.phone.next(180)
    s.phone.again(invite)
    await s.phone.next(180)
    s.px1.answer(asked, 486)
    await s.phone.next(486)
    s.phone.again(invite)
    await s.phone.next(486)
    expect([s.px1.countNew('INVITE'), s.px2.countNew('INVITE')]).toEqual([1, 0])
    expect(await s.lb.metric('siplb_sip_retransmissions_total')).toBe(4)
    expect(await s.lb.metric('siplb_sip_requests_total', { method: 'INVITE' })).toBe(1)
  })

  it('is absorbed after its 2xx too, which the callee repeats himself', async () => {
    await using s = await scene()
    const { invite } = await s.call()
    s.phone.again(invite)
    await sleep(100)
    expect([s.px1.countNew('INVITE'), s.phone.count(200)]).toEqual([1, 1])
  })

  it('gets its final response from memory where it is no INVITE', async () => {
    await using s = await scene()
    const message = s.phone.ask({ method: 'MESSAGE' })
    s.px1.answer(await s.px1.next('MESSAGE'), 200, { headers: ['X-Once: yes'] })
    const first = await s.phone.next(200)
    s.phone.again(message)
    expect((await s.phone.next(200)).bytes).toEqual(first.bytes)
    expect(s.px1.countNew('MESSAGE')).toBe(1)
  })

  it('is known without a magic cookie, by all that RFC 2543 compared', async () => {
    await using s = await scene()
    const via = `SIP/2.0/UDP ${s.phone.peer.hostPort};branch=1`
    const first = s.phone.ask({ via })
    s.px1.answer(await s.px1.next('INVITE'), 180)
    await s.phone.next(180)
    s.phone.again(first)
    await s.phone.next(180)
    expect(s.px1.countNew('INVITE')).toBe(1)
    s.phone.ask({ via })
    await s.px1.next('INVITE')
  })

  it('is another one where only the branch is the same, and the sender not', async () => {
    await using s = await scene()
    await using other = await Phone.open(s.lb.place)
    const branch = `branch=z9hG4bK${token()}`
    s.phone.ask({ via: `SIP/2.0/UDP ${s.phone.peer.hostPort};${branch}` })
    other.ask({ via: `SIP/2.0/UDP ${other.peer.hostPort};${branch}` })
    s.px1.answer(await s.px1.next('INVITE'), 180)
    s.px1.answer(await s.px1.next('INVITE'), 180)
    await s.phone.next(180)
    await other.next(180)
  })
})

describe.concurrent('rule 2: 100 Trying', () => {
  it('comes within 200 ms though the proxy is silent, without a To tag', async () => {
    await using s = await scene()
    const waits: number[] = []
    // On a busy machine one or the other may come late.
    for (let i = 0; i < 5; i++) {
      const askedAt = performance.now()
      s.phone.ask()
      const trying = await s.phone.next(100)
      waits.push(trying.at - askedAt)
      expect(trying.toTag).toBeUndefined()
    }
    expect(Math.min(...waits)).toBeLessThan(200)
  })

  it('of a proxy stays with us', async () => {
    await using s = await scene()
    s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 100, { headers: ['Server: px1'] })
    const ours = await s.phone.next(100)
    s.px1.answer(asked, 180)
    await s.phone.next(180)
    expect(ours.all('Server')).toEqual([])
    expect(s.phone.count(100)).toBe(1)
  })

  it('is not sent where something else has gone out', async () => {
    await using s = await scene()
    s.phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 180)
    await s.phone.next(180)
    await sleep(250)
    // On a busy machine it may have been due before.
    expect(s.phone.peer.heard.at(-1)?.status).toBe(180)
  })

  it('for another request comes when the caller would slow down by himself, and not before', async () => {
    await using s = await scene({ pool: { proxies: [] } })
    await using proxy = await Phone.open(s.lb.place)
    s.lb.reconfigure({ default: { proxies: [{ id: 'px1', uri: proxy.peer.uri }] } })
    const askedAt = performance.now()
    s.phone.ask({ method: 'MESSAGE' })
    const trying = await s.phone.next(100, 6000)
    expect(trying.at - askedAt).toBeGreaterThan(3400)
  })
})

describe.concurrent('rule 3: validation order', () => {
  it('refuses schemes that lead nowhere we know', async () => {
    await using s = await scene()
    s.phone.ask({ uri: 'mailto:bob@example.com' })
    await s.phone.next(416)
    s.phone.ask({ uri: 'tel:+4912345' })
    await s.px1.next('INVITE')
  })

  it('names the extensions that a proxy is asked for', async () => {
    await using s = await scene()
    s.phone.ask({ headers: ['Proxy-Require: foo', 'Proxy-Require: bar'] })
    expect((await s.phone.next(420)).all('Unsupported')).toEqual(['foo, bar'])
  })

  it('goes in the order of 16.3: scheme, hops, extensions', async () => {
    await using s = await scene()
    s.phone.ask({ uri: 'mailto:bob@example.com', maxForwards: '0', headers: ['Proxy-Require: foo'] })
    await s.phone.next(416)
    s.phone.ask({ maxForwards: '0', headers: ['Proxy-Require: foo'] })
    await s.phone.next(483)
    expect(s.px1.heard).toEqual([])
  })

  it('lets through methods, headers and bodies that it does not know', async () => {
    await using s = await scene()
    s.phone.ask({ method: 'NEWTHING', headers: ['X-Odd: ;;,,"<', 'Require: anything', 'Date: yesterday'] })
    const asked = await s.px1.next('NEWTHING')
    expect([asked.one('X-Odd'), asked.one('Require'), asked.one('Date')]).toEqual([';;,,"<', 'anything', 'yesterday'])
    s.px1.answer(asked, 200)
    await s.phone.next(200)
  })

  it('does not take a request for another that came another way', async () => {
    await using s = await scene()
    const first = s.phone.ask()
    s.phone.ask({ from: first.from, callId: first.callId, cseq: first.cseq })
    await eventually(() => s.px1.countNew('INVITE'), 2)
  })

  it('is no judge of headers by which it does not route', async () => {
    await using s = await scene()
    const odd = ['Contact: <<>>', 'Record-Route: nonsense', 'Expires: soon', 'Content-Type: ///', 'Authorization: ,']
    const tail = ['Max-Breadth: many', 'Min-SE: -1', 'Path: ,,', 'Reason: ;;', 'Timestamp: now', 'Proxy-Require:']
    s.phone.ask({ method: 'SUBSCRIBE', headers: [...odd, ...tail] })
    const asked = await s.px1.next('SUBSCRIBE')
    for (const line of [...odd, ...tail]) expect(asked.lines).toContain(line)
    s.px1.answer(asked, 486)
    await s.phone.next(486)
  })

  it('answers before it asks whether the request goes round', async () => {
    await using s = await scene()
    const via = `SIP/2.0/UDP ${s.lb.hostPort};rport;branch=z9hG4bK.sl.lb1.0.${token()}`
    s.phone.ask({ via, maxForwards: '0' })
    await s.phone.next(483)
    s.phone.ask({ via: `${via}x`, headers: ['Proxy-Require: foo'] })
    await s.phone.next(482)
  })
})

describe.concurrent('rule 4: Max-Forwards', () => {
  it('is one less, and 70 where there was none', async () => {
    await using s = await scene()
    s.phone.ask({ method: 'MESSAGE', maxForwards: '1' })
    expect((await s.px1.next('MESSAGE')).one('Max-Forwards')).toBe('0')
    s.phone.ask({ method: 'INFO', maxForwards: '' })
    expect((await s.px1.next('INFO')).one('Max-Forwards')).toBe('70')
  })

  it('at 0 ends the way, but for an OPTIONS, which we answer', async () => {
    await using s = await scene()
    s.phone.ask({ maxForwards: '0' })
    await s.phone.next(483)
    s.phone.ask({ method: 'OPTIONS', maxForwards: '0' })
    await s.phone.next(200)
    expect(s.px1.heard).toEqual([])
  })

  it('is one less above 70 too, up to 255; what is more, or no number, is refused', async () => {
    await using s = await scene()
    s.phone.ask({ method: 'MESSAGE', maxForwards: '255' })
    expect((await s.px1.next('MESSAGE')).one('Max-Forwards')).toBe('254')
    s.phone.ask({ method: 'MESSAGE', maxForwards: '71' })
    expect((await s.px1.next('MESSAGE')).one('Max-Forwards')).toBe('70')
    for (const maxForwards of ['256', '-1', '7x']) {
      s.phone.ask({ method: 'INFO', maxForwards })
      await s.phone.next(400)
    }
    expect(s.px1.count('INFO')).toBe(0)
  })
})

describe.concurrent('rule 5: OPTIONS to us', () => {
  it('to us says that we are able, and is not routed', async () => {
    await using s = await scene()
    s.phone.ask({ method: 'OPTIONS', uri: `sip:${s.lb.hostPort}` })
    await s.phone.next(200)
    expect([...s.px1.heard, ...s.px2.heard]).toEqual([])
  })

  it('to a user at our address is routed', async () => {
    await using s = await scene()
    s.phone.ask({ method: 'OPTIONS', uri: `sip:bob@${s.lb.hostPort}` })
    await s.px1.next('OPTIONS')
  })

  it('says 503 when there is no proxy', async () => {
    await using s = await scene({ pool: { proxies: [] } })
    s.phone.ask({ method: 'OPTIONS', uri: `sip:${s.lb.hostPort}` })
    await s.phone.next(503)
  })

  it('says 503 when we drain', async () => {
    await using s = await scene()
    await s.lb.drain()
    s.phone.ask({ method: 'OPTIONS', uri: `sip:${s.lb.hostPort}` })
    await s.phone.next(503)
  })

  it('is answered along a Route of ours too, also to a proxy, and is no load', async () => {
    await using s = await scene()
    s.phone.ask({ method: 'OPTIONS', uri: `sip:${s.lb.hostPort}`, headers: [`Route: <sip:${s.lb.hostPort};lr>`] })
    await s.phone.next(200)
    await using proxy = await Phone.open(s.lb.place)
    s.lb.reconfigure({ default: { proxies: [{ id: 'px1', uri: proxy.peer.uri }] } })
    proxy.ask({ method: 'OPTIONS', uri: `sip:${s.lb.hostPort}` })
    await proxy.next(200)
    expect(await s.lb.metric('siplb_route_decisions_total')).toBe(0)
  })
})

describe.concurrent('rule 6: Route preprocessing: routes', () => {
  it('of ours are taken off, two where there are two, and those below stay', async () => {
    await using s = await scene()
    const { invite, ok } = await s.call()
    const second = `<sip:${s.lb.hostPort};transport=udp;lr>`
    const below = '<sip:deeper.example.com;lr>'
    s.phone.follow(invite, ok, 'BYE', { headers: [`Route: ${second}, ${below}`] })
    expect((await s.px1.next('BYE')).all('Route')).toEqual([below])
  })

  it('behind a strict router give the Request-URI back', async () => {
    await using s = await scene()
    const { invite, ok } = await s.call()
    const [ours = ''] = ok.all('Record-Route')
    s.phone.ask({
      ...invite,
      method: 'BYE',
      cseq: 2,
      via: s.phone.via(),
      uri: ours.slice(1, -1),
      to: ok.one('To'),
      headers: [`Route: <sip:bob@${s.px1.hostPort};x=1>`],
    })
    const bye = await s.px1.next('BYE')
    expect([bye.requestUri, bye.all('Route')]).toEqual([`sip:bob@${s.px1.hostPort};x=1`, []])
  })

  it('that lead elsewhere are not followed: we are no open relay', async () => {
    await using s = await scene()
    await using victim = await Peer.open()
    s.phone.ask({ headers: [`Route: <${victim.uri};lr>`] })
    await s.phone.next(403)
    s.phone.ask({ headers: [`Route: <sip:${s.lb.hostPort};lr>, <${victim.uri};lr>`] })
    await s.phone.next(403)
    s.phone.ask({ uri: victim.uri })
    await s.px1.next('INVITE')
    expect(victim.heard).toEqual([])
  })

  it('behind a strict router leave what stands above the one that was meant', async () => {
    await using s = await scene()
    const { invite, ok } = await s.call()
    const [ours = ''] = ok.all('Record-Route')
    const headers = ['Route: <sip:deeper.example.com;lr>, <sip:bob@192.0.2.4>']
    const bye = { ...invite, method: 'BYE', cseq: 2, to: ok.one('To'), headers }
    s.phone.ask({ ...bye, via: s.phone.via(), uri: ours.slice(1, -1) })
    const asked = await s.px1.next('BYE')
    expect([asked.requestUri, asked.all('Route')]).toEqual(['sip:bob@192.0.2.4', ['<sip:deeper.example.com;lr>']])
  })

  it('before a strict router: it gets itself in the Request-URI, and the goal in the last Route', async () => {
    await using s = await scene()
    const { invite, ok } = await s.call()
    const strict = `<${s.px1.uri};old>`
    const { uri } = s.phone.follow(invite, ok, 'BYE', { headers: [`Route: ${strict}`, 'Route: <sip:deeper;lr>'] })
    const bye = await s.px1.next('BYE')
    expect([bye.requestUri, bye.all('Route')]).toEqual([strict.slice(1, -1), ['<sip:deeper;lr>', `<${uri}>`]])
  })

  it('by maddr: one that means us is taken off, one that means somebody else is not followed', async () => {
    await using s = await scene()
    await using victim = await Peer.open()
    const { address, port } = s.lb.place
    s.phone.ask({ uri: `sip:bob@example.com:${port};maddr=${address};transport=udp` })
    expect((await s.px1.next('INVITE')).requestUri).toBe('sip:bob@example.com')
    const elsewhere = `sip:bob@example.com:${victim.place.port};maddr=${victim.place.address}`
    s.phone.ask({ method: 'MESSAGE', uri: elsewhere })
    expect((await s.px1.next('MESSAGE')).requestUri).toBe(elsewhere)
    expect(victim.heard).toEqual([])
  })
})

describe.concurrent('rule 7: which requests get a weighted choice: it', () => {
  it('is for new requests; one without a pool gets 404', async () => {
    await using s = await scene({ pool: { match: { userPrefix: '+49' } } })
    s.phone.ask({ uri: 'sip:+4930@example.com' })
    await s.px1.next('INVITE')
    s.phone.ask({ uri: 'sip:+4420@example.com' })
    await s.phone.next(404)
  })

  it('is not made inside a dialog, though its proxy takes nothing new', async () => {
    await using s = await scene()
    const { invite, ok } = await s.call()
    s.lb.reconfigure({
      default: {
        proxies: [
          { id: 'px1', uri: s.px1.uri, weight: 0 },
          { id: 'px2', uri: s.px2.uri },
        ],
      },
    })
    s.phone.ask()
    await s.px2.next('INVITE')
    s.phone.follow(invite, ok, 'BYE')
    await s.px1.next('BYE')
    expect(s.px2.count('BYE')).toBe(0)
  })

  it('is not made for a request that lost its Route: the dialog is known by its Call-ID and tags', async () => {
    await using s = await scene()
    await s.call()
    const { invite, ok } = await s.call()
    s.phone.ask({ ...invite, method: 'BYE', cseq: 2, via: s.phone.via(), to: ok.one('To'), headers: [] })
    expect((await s.px1.next('BYE')).one('Call-ID')).toBe(invite.callId)
  })

  it('is not made for a dialog that nobody knows: it gets 481', async () => {
    await using s = await scene()
    s.phone.ask({ method: 'BYE', to: '<sip:bob@example.com>;tag=unknown' })
    await s.phone.next(481)
    s.phone.ask({ method: 'INVITE', to: '<sip:bob@example.com>;tag=unknown' })
    await s.phone.next(481)
    expect([...s.px1.heard, ...s.px2.heard]).toEqual([])
  })

  it('is not made inside a dialog, though we drain', async () => {
    await using s = await scene()
    const { invite, ok } = await s.call()
    await s.lb.drain()
    s.phone.follow(invite, ok, 'INVITE')
    s.px1.answer(await s.px1.next('INVITE'), 200)
    await s.phone.next(200)
    s.phone.follow(invite, ok, 'BYE')
    await s.px1.next('BYE')
  })

  it('is not made for a request that has our Record-Route in its Request-URI, and no Route', async () => {
    await using s = await scene()
    const { invite, ok } = await s.call()
    const proxies = [
      { id: 'px1', uri: s.px1.uri, tier: 2 },
      { id: 'px2', uri: s.px2.uri, tier: 1 },
    ]
    // One that has the key alone, and no memory of the call.
    await using other = await startIngress({ instance: 'lb2', pools: { default: { proxies } } })
    await using phone = await Phone.open(other.place)
    const ours = ok.one('Record-Route').slice(1, -1).replace(s.lb.hostPort, other.hostPort)
    phone.ask({ ...invite, method: 'INFO', cseq: 2, via: phone.via(), to: ok.one('To'), headers: [], uri: ours })
    await s.px1.next('INFO')
    expect(s.px2.heard).toEqual([])
  })
})

describe.concurrent('rule 8: the same proxy', () => {
  it('gets what belongs to an early dialog', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 183, { headers: [contactOf(s.px1), 'RSeq: 1', 'Require: 100rel'] })
    const early = await s.phone.next(183)
    preferPx2(s)
    s.phone.follow(invite, early, 'PRACK', { cseq: 2 })
    s.px1.answer(await s.px1.next('PRACK'), 200)
    await s.phone.next(200)
    s.phone.follow(invite, early, 'UPDATE', { cseq: 3 })
    await s.px1.next('UPDATE')
    expect(s.px2.heard).toEqual([])
  })

  it('gets what belongs to a subscription, and its NOTIFY reaches the subscriber', async () => {
    await using s = await scene()
    const subscribe = s.phone.ask({ method: 'SUBSCRIBE', headers: ['Event: presence'] })
    const asked = await s.px1.next('SUBSCRIBE')
    s.px1.answer(asked, 200, { headers: [contactOf(s.px1), 'Expires: 600'] })
    const ok = await s.phone.next(200)
    preferPx2(s)
    s.px1.send(fromCallee({ asked, ok }, 'NOTIFY', s.px1), s.lb.place)
    await s.phone.next('NOTIFY')
    s.phone.follow(subscribe, ok, 'SUBSCRIBE')
    await s.px1.next('SUBSCRIBE')
    expect(s.px2.heard).toEqual([])
  })

  it('gets an INVITE again that now carries the credentials that it had asked for', async () => {
    await using s = await scene()
    const proxies = [s.px1, s.px2].map((proxy, i) => ({ id: `px${i + 1}`, uri: proxy.uri }))
    s.lb.reconfigure({ default: { policy: 'smooth-round-robin', proxies } })
    for (let i = 1; i <= 3; i++) {
      const invite = s.phone.ask()
      const proxy = await waitFor(() => [s.px1, s.px2].find((one) => one.hasHeard('INVITE')), 3000)
      const challenge = { headers: ['Proxy-Authenticate: Digest realm="x", nonce="y"'] }
      proxy.answer(await proxy.next('INVITE'), 407, challenge)
      s.phone.acknowledge(invite, await s.phone.next(407))
      const { callId, from } = invite
      s.phone.ask({ callId, from, cseq: 2, headers: ['Proxy-Authorization: Digest username="alice"'] })
      const again = await proxy.next('INVITE')
      expect(again.one('CSeq')).toBe('2 INVITE')
      proxy.answer(again, 486)
      await s.phone.next(486)
    }
  })

  it('gets what belongs to its transactions, whoever comes next by the policy', async () => {
    await using s = await scene()
    const proxies = [s.px1, s.px2].map(({ uri }, i) => ({ id: `px${i + 1}`, uri }))
    s.lb.reconfigure({ default: { policy: 'smooth-round-robin', proxies } })
    for (let i = 0; i < 4; i++) {
      const invite = s.phone.ask()
      const proxy = await waitFor(() => [s.px1, s.px2].find((one) => one.hasHeard('INVITE')), 3000)
      const asked = await proxy.next('INVITE')
      s.phone.again(invite)
      proxy.answer(asked, 180)
      await s.phone.next(180)
      s.phone.cancel(invite)
      proxy.answer(await proxy.next('CANCEL'), 200)
      proxy.answer(asked, 487)
      expect((await proxy.next('ACK')).branch).toBe(asked.branch)
      s.phone.acknowledge(invite, await s.phone.next(487))
    }
    expect([s.px1.countNew('INVITE'), s.px2.countNew('INVITE')]).toEqual([2, 2])
  })

  it('gets a REGISTER again that now carries its credentials', async () => {
    await using s = await scene()
    const register = s.phone.ask({ method: 'REGISTER', uri: 'sip:example.com' })
    const challenge = { headers: ['WWW-Authenticate: Digest realm="x", nonce="y"'] }
    s.px1.answer(await s.px1.next('REGISTER'), 401, challenge)
    await s.phone.next(401)
    preferPx2(s)
    const { callId, from } = register
    s.phone.ask({
      method: 'REGISTER',
      uri: 'sip:example.com',
      callId,
      from,
      cseq: 2,
      headers: ['Authorization: Digest'],
    })
    s.px1.answer(await s.px1.next('REGISTER'), 200)
    await s.phone.next(200)
    expect(s.px2.heard).toEqual([])
    s.phone.ask({ method: 'REGISTER', uri: 'sip:example.com' })
    await s.px2.next('REGISTER')
  })

  it('gets what follows a REFER, and its NOTIFY reaches who referred', async () => {
    await using s = await scene()
    const { invite, ok, asked } = await s.call()
    preferPx2(s)
    s.phone.follow(invite, ok, 'REFER', { headers: ['Refer-To: <sip:carol@example.com>'] })
    s.px1.answer(await s.px1.next('REFER'), 202)
    await s.phone.next(202)
    s.px1.send(fromCallee({ asked, ok }, 'NOTIFY', s.px1), s.lb.place)
    s.phone.peer.answer(await s.phone.next('NOTIFY'), 200)
    await s.px1.next(200)
    const refer = s.phone.ask({ method: 'REFER', headers: ['Refer-To: <sip:carol@example.com>'] })
    const outside = await s.px2.next('REFER')
    s.px2.answer(outside, 202, { headers: [contactOf(s.px2)] })
    const accepted = await s.phone.next(202)
    // The first NOTIFY may come by itself, with what the REFER recorded (RFC 3515, 2.4.4; RFC 6665, 4.1.3).
    s.px2.send(fromCallee({ asked: outside, ok: accepted }, 'NOTIFY', s.px2), s.lb.place)
    await s.phone.next('NOTIFY')
    const recorded = outside.all('Record-Route').map((route) => `Route: ${route}`)
    const { callId, from } = refer
    s.phone.ask({ method: 'SUBSCRIBE', callId, from, to: accepted.one('To'), cseq: 2, headers: recorded })
    await s.px2.next('SUBSCRIBE')
  })

  it('gets all that is about one address-of-record, where the pool says so', async () => {
    await using s = await scene()
    const proxies = [s.px1, s.px2].map(({ uri }, i) => ({ id: `px${i + 1}`, uri }))
    s.lb.reconfigure({ default: { policy: 'smooth-round-robin', affinity: 'aor', proxies } })
    const heardBy = async (method: string, parts: RequestParts) => {
      s.phone.ask({ method, ...parts })
      const proxy = await waitFor(() => [s.px1, s.px2].find((one) => one.hasHeard(method)), 3000)
      proxy.answer(await proxy.next(method), 200)
      await s.phone.next(200)
      return proxy
    }
    const used = new Set<Peer>()
    for (let i = 0; i < 12; i++) {
      const aor = `sip:user${i}@example.com`
      const proxy = await heardBy('REGISTER', { uri: 'sip:example.com', to: `<${aor}>` })
      expect(await heardBy('REGISTER', { uri: 'sip:example.com', to: `<${aor};x=1>` })).toBe(proxy)
      expect(await heardBy('MESSAGE', { uri: aor })).toBe(proxy)
      used.add(proxy)
    }
    expect(used.size).toBe(2)
  })
})
