import { setTimeout as sleep } from 'node:timers/promises'
import { waitFor } from '@siplb/testkit'
import { describe, expect, it } from 'vitest'
import { requestBytes } from './messages.ts'
import { Peer } from './peer.ts'
import { Phone, token } from './phone.ts'
import { contactOf, fromCallee, scene } from './scene.ts'

describe.concurrent('rule 3: validation', () => {
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
    await s.px1.next('INVITE')
    await s.px1.next('INVITE')
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
})

describe.concurrent('rule 5: OPTIONS', () => {
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
})

describe.concurrent('rule 6: routes', () => {
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
})

describe.concurrent('rule 7: a weighted choice', () => {
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
})

describe.concurrent('rule 8: the same proxy', () => {
  it('gets what belongs to an early dialog', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 183, { headers: [contactOf(s.px1), 'RSeq: 1', 'Require: 100rel'] })
    const early = await s.phone.next(183)
    s.phone.follow(invite, early, 'PRACK', { cseq: 2 })
    s.px1.answer(await s.px1.next('PRACK'), 200)
    await s.phone.next(200)
    s.phone.follow(invite, early, 'UPDATE', { cseq: 3 })
    await s.px1.next('UPDATE')
  })

  it('gets what belongs to a subscription, and its NOTIFY reaches the subscriber', async () => {
    await using s = await scene()
    const subscribe = s.phone.ask({ method: 'SUBSCRIBE', headers: ['Event: presence'] })
    const asked = await s.px1.next('SUBSCRIBE')
    s.px1.answer(asked, 200, { headers: [contactOf(s.px1), 'Expires: 600'] })
    const ok = await s.phone.next(200)
    s.px1.send(fromCallee({ asked, ok }, 'NOTIFY', s.px1), s.lb.place)
    await s.phone.next('NOTIFY')
    s.phone.follow(subscribe, ok, 'SUBSCRIBE')
    await s.px1.next('SUBSCRIBE')
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
})

describe.concurrent('rule 14: our Via', () => {
  it('stands on top with our address and a branch that names us', async () => {
    await using s = await scene()
    s.phone.ask({ method: 'MESSAGE' })
    const [ours = '', theirs = ''] = (await s.px1.next('MESSAGE')).all('Via')
    expect(ours).toMatch(
      new RegExp(`^SIP/2\\.0/UDP ${s.lb.hostPort};rport;branch=z9hG4bK\\.sl\\.lb1\\.0\\.[0-9a-f]+;oc;oc-algo="loss"$`),
    )
    expect(theirs).toContain(s.phone.peer.hostPort)
  })

  it('has another branch for each attempt', async () => {
    await using s = await scene()
    s.phone.ask()
    const first = await s.px1.next('INVITE')
    s.px1.answer(first, 503)
    const second = await s.px2.next('INVITE')
    expect(second.branch).not.toBe(first.branch)
    expect(second.branch).toMatch(/^z9hG4bK\.sl\.lb1\.0\./)
  })
})

describe.concurrent('rule 15: the way back', () => {
  it('is the source where the caller asks for rport, whatever his Via says', async () => {
    await using s = await scene()
    s.phone.ask({ method: 'MESSAGE', via: `SIP/2.0/UDP phone.invalid:9;rport;branch=z9hG4bK${token()}` })
    const asked = await s.px1.next('MESSAGE')
    expect(asked.all('Via')[1]).toMatch(
      new RegExp(`^SIP/2\\.0/UDP phone\\.invalid:9;rport=${s.phone.peer.place.port};.*;received=127\\.0\\.0\\.1$`),
    )
    s.px1.answer(asked, 200)
    expect((await s.phone.next(200)).source).toEqual(s.lb.place)
  })

  it('is the port of the Via where he does not, at the address that it came from', async () => {
    await using s = await scene()
    await using ear = await Peer.open()
    s.phone.ask({ method: 'MESSAGE', via: `SIP/2.0/UDP 192.0.2.77:${ear.place.port};branch=z9hG4bK${token()}` })
    const asked = await s.px1.next('MESSAGE')
    expect(asked.all('Via')[1]).toContain(';received=127.0.0.1')
    s.px1.answer(asked, 200)
    await ear.next(200)
    expect(s.phone.peer.heard).toEqual([])
  })

  it('holds for what we answer ourselves, and for what is broken', async () => {
    await using s = await scene()
    await using ear = await Peer.open()
    const via = () => `SIP/2.0/UDP 127.0.0.1:${ear.place.port};branch=z9hG4bK${token()}`
    s.phone.ask({ method: 'OPTIONS', uri: `sip:${s.lb.hostPort}`, via: via() })
    await ear.next(200)
    s.phone.ask({ method: 'MESSAGE', maxForwards: 'many', via: via() })
    await ear.next(400)
    expect(s.phone.peer.heard).toEqual([])
  })

  it('is not marked where the Via says the truth', async () => {
    await using s = await scene()
    s.phone.ask({ method: 'MESSAGE', via: `SIP/2.0/UDP ${s.phone.peer.hostPort};branch=z9hG4bK${token()}` })
    expect((await s.px1.next('MESSAGE')).all('Via')[1]).not.toContain('received')
  })
})

describe.concurrent('rule 16: Record-Route', () => {
  it('stands above the others, leads to us, and says lr', async () => {
    await using s = await scene()
    for (const method of ['INVITE', 'SUBSCRIBE', 'REFER', 'NEWTHING']) {
      s.phone.ask({ method, headers: ['Record-Route: <sip:edge.example.com;lr>'] })
      const [ours = '', theirs] = (await s.px1.next(method)).all('Record-Route')
      expect(ours).toMatch(new RegExp(`^<sip:[A-Za-z0-9_-]+@${s.lb.hostPort};lr>$`))
      expect(theirs).toBe('<sip:edge.example.com;lr>')
    }
  })

  it('is not added where no dialog can come of it, nor inside one', async () => {
    await using s = await scene()
    for (const method of ['REGISTER', 'MESSAGE', 'OPTIONS', 'PUBLISH']) {
      s.phone.ask({ method })
      expect((await s.px1.next(method)).all('Record-Route')).toEqual([])
    }
    const { invite, ok } = await s.call()
    s.phone.follow(invite, ok, 'INVITE')
    expect((await s.px1.next('INVITE')).all('Record-Route')).toEqual([])
  })

  it('is left out where the operator wants us out of the dialogs', async () => {
    await using s = await scene({ ingress: { recordRoute: false } })
    s.phone.ask()
    expect((await s.px1.next('INVITE')).all('Record-Route')).toEqual([])
  })

  it('names the address that is advertised', async () => {
    await using s = await scene({ ingress: { advertise: 'lb.example.com:5080' } })
    s.phone.ask()
    const asked = await s.px1.next('INVITE')
    expect(asked.one('Record-Route')).toMatch(/@lb\.example\.com:5080;lr>$/)
    expect(asked.one('Via')).toMatch(/^SIP\/2\.0\/UDP lb\.example\.com:5080;rport;branch=/)
  })

  it('is known for ours by the name that is advertised, in whatever case it comes back', async () => {
    await using s = await scene({ ingress: { advertise: 'LB.example.com' } })
    const invite = s.phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 200, { headers: [contactOf(s.px1)] })
    s.phone.follow(invite, await s.phone.next(200), 'BYE')
    expect((await s.px1.next('BYE')).all('Route')).toEqual([])
  })
})

it('over IPv6 a call comes and goes as over IPv4', async () => {
  await using s = await scene({ address: '::1', proxyAddress: '::1' })
  const call = await s.call()
  expect(call.asked.one('Via')).toMatch(new RegExp(`^SIP/2\\.0/UDP \\[::1\\]:${s.lb.place.port};rport;`))
  expect(call.asked.one('Record-Route')).toContain(`@[::1]:${s.lb.place.port};lr>`)
  s.px1.send(fromCallee(call, 'INFO', s.px1), s.lb.place)
  s.phone.peer.answer(await s.phone.next('INFO'), 200)
  await s.px1.next(200)
  s.phone.follow(call.invite, call.ok, 'BYE')
  s.px1.answer(await s.px1.next('BYE'), 200)
  await s.phone.next(200)
})

it('rule 17: body, order and odd headers arrive octet for octet', async () => {
  await using s = await scene()
  const tail = [
    'f:"Alice, \\"the\\" <A>" <sip:alice@example.com>;tag=a',
    't: <sip:bob@example.com>',
    'i: odd@example.com',
    'CSeq:  7   INVITE',
    'X-First: 1',
    'Subject: folded',
    '\t over two lines',
    'X-Second:2',
    'x-first: again',
    'c: application/x-binary',
    'l: 9',
    '',
    '\x00\xff\r\n\r\nv=\x7f',
  ].join('\r\n')
  const head = ['INVITE sip:bob@example.com SIP/2.0', `v: SIP/2.0/UDP ${s.phone.peer.hostPort};branch=z9hG4bKodd`]
  s.phone.peer.send([...head, 'Max-Forwards: 70', tail].join('\r\n'), s.lb.place)
  const asked = await s.px1.next('INVITE')
  expect(asked.bytes.toString('latin1').endsWith(`\r\nMax-Forwards: 69\r\n${tail}`)).toBe(true)
})

describe.concurrent('rule 20: datagrams', () => {
  it('end where Content-Length says', async () => {
    await using s = await scene()
    const bytes = requestBytes({ method: 'MESSAGE', via: s.phone.via(), callId: token(), body: 'hello' })
    s.phone.peer.send(Buffer.concat([bytes, Buffer.from('and more')]), s.lb.place)
    expect((await s.px1.next('MESSAGE')).body).toBe('hello')
  })

  it('that are too short are refused, responses dropped', async () => {
    await using s = await scene()
    const bytes = requestBytes({ method: 'MESSAGE', via: s.phone.via(), callId: token(), body: 'hello' })
    s.phone.peer.send(bytes.subarray(0, -2), s.lb.place)
    await s.phone.next(400)
    s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.send(`SIP/2.0 180 Ringing\r\nVia: ${asked.one('Via')}\r\nContent-Length: 99\r\n\r\n`, asked.source)
    await sleep(50)
    expect(s.phone.count(180)).toBe(0)
    expect(await s.lb.metric('siplb_sip_malformed_total', { answered: 'false' })).toBe(1)
  })

  it('that only keep a NAT open are not answered', async () => {
    await using s = await scene()
    for (const bytes of ['', '\r\n\r\n', '\0']) s.phone.peer.send(bytes, s.lb.place)
    s.phone.ask({ method: 'OPTIONS', uri: `sip:${s.lb.hostPort}` })
    await s.phone.next(200)
    expect(s.phone.peer.heard).toHaveLength(1)
    expect(await s.lb.metric('siplb_sip_malformed_total')).toBe(0)
    expect(await s.lb.metric('siplb_sip_dropped_total', { reason: 'keep-alive' })).toBe(3)
  })
})

it('rule 29: a proxy that is ourselves is never sent to', async () => {
  await using s = await scene()
  s.lb.reconfigure({ default: { proxies: [{ id: 'px1', uri: `sip:${s.lb.hostPort}` }] } })
  s.phone.ask()
  await s.phone.next(503)
  expect(await s.lb.metric('siplb_sip_requests_total', { method: 'INVITE' })).toBe(1)
})

describe.concurrent('a new request from a proxy', () => {
  it('is never balanced', async () => {
    await using s = await scene()
    await using proxy = await Phone.open(s.lb.place)
    s.lb.reconfigure({ default: { proxies: [{ id: 'px1', uri: proxy.peer.uri }] } })
    proxy.ask()
    await proxy.next(403)
  })

  it('goes where the pool says, and from there to the next where nobody listens', async () => {
    await using s = await scene()
    await using proxy = await Phone.open(s.lb.place)
    await using carrier = await Peer.open()
    s.lb.reconfigure({
      default: { proxies: [{ id: 'px1', uri: proxy.peer.uri }], outbound: ['sip:no..body', carrier.uri] },
    })
    proxy.ask()
    carrier.answer(await carrier.next('INVITE'), 486)
    await proxy.next(486)
  })
})
