import { setTimeout as sleep } from 'node:timers/promises'
import { makeCertificate } from '@siplb/testkit'
import { describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { requestBytes } from '../messages.ts'
import { Peer } from '../peer.ts'
import { token } from '../phone.ts'
import { contactOf, scene } from '../scene.ts'
import { dialTls, overTcp, StreamPeer, StreamProxy } from '../stream-peer.ts'

describe.concurrent('rule 14: Via: ours', () => {
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

  it('is the same in the CANCEL and the ACK of a refusal', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 180)
    await s.phone.next(180)
    s.phone.cancel(invite)
    const cancel = await s.px1.next('CANCEL')
    s.px1.answer(asked, 487)
    const ack = await s.px1.next('ACK')
    expect([cancel.all('Via'), ack.all('Via')]).toEqual([[asked.one('Via')], [asked.one('Via')]])
  })

  it('has a branch that nobody used before', async () => {
    await using s = await scene()
    for (let i = 0; i < 20; i++) {
      s.phone.ask({ method: 'MESSAGE' })
      s.px1.answer(await s.px1.next('MESSAGE'), 200)
      await s.phone.next(200)
    }
    const calls = new Set(s.px1.heard.map((heard) => heard.one('Call-ID')))
    expect(s.px1.countNew('MESSAGE')).toBe(calls.size)
  })
})

describe.concurrent('rule 15: received and rport: the way back', () => {
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

  it('is not what the sender claims: his own received and rport are replaced', async () => {
    await using s = await scene()
    await using victim = await Peer.open('127.0.0.9')
    const claims = `;rport=${victim.place.port};received=${victim.place.address};maddr=${victim.place.address}`
    s.phone.ask({ method: 'MESSAGE', via: `SIP/2.0/UDP phone.invalid${claims};branch=z9hG4bK${token()}` })
    const asked = await s.px1.next('MESSAGE')
    expect(asked.all('Via')[1]).toContain(`;rport=${s.phone.peer.place.port};received=127.0.0.1;`)
    s.px1.answer(asked, 200)
    await s.phone.next(200)
    expect(victim.heard).toEqual([])
  })
})

describe.concurrent('rule 15: received and rport: the way back to a caller by TCP', () => {
  it('is his connection', async () => {
    await using s = await scene({ listen: ['tcp'] })
    await using phone = await StreamPeer.connect(s.lb.place)
    const via = `SIP/2.0/TCP phone.invalid:9;branch=z9hG4bK${token()}`
    phone.send(requestBytes(overTcp(phone, { via })))
    const asked = await s.px1.next('INVITE')
    expect(asked.one('Via')).toContain(`SIP/2.0/UDP ${s.lb.hostPort};`)
    expect(asked.all('Via')[1]).toBe(`${via};received=127.0.0.1`)
    s.px1.answer(asked, 200)
    expect((await phone.next(200)).all('Via')).toHaveLength(1)
  })

  it('is one to the port of his Via, at the address that he had, once that connection is gone', async () => {
    await using s = await scene({ listen: ['tcp'] })
    await using ear = await StreamProxy.open()
    const phone = await StreamPeer.connect(s.lb.place)
    const via = `SIP/2.0/TCP phone.invalid:${ear.place.port};branch=z9hG4bK${token()}`
    phone.send(requestBytes(overTcp(phone, { method: 'MESSAGE', via })))
    const asked = await s.px1.next('MESSAGE')
    await phone.close()
    await sleep(50)
    s.px1.answer(asked, 200)
    await (await ear.connection()).next(200)
  })
})

describe.concurrent('rule 16: Record-Route: it', () => {
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

  it('is a Path in a REGISTER, where the pool says so', async () => {
    await using s = await scene({ pool: { match: { domain: 'example.com' } } })
    s.lb.reconfigure({
      other: { proxies: [{ id: 'px2', uri: s.px2.uri }], match: { domain: 'other.example' }, path: false },
      default: { proxies: [{ id: 'px1', uri: s.px1.uri }] },
    })
    s.phone.ask({ method: 'REGISTER', uri: 'sip:example.com', headers: ['Path: <sip:edge.example.com;lr>'] })
    const registering = await s.px1.next('REGISTER')
    const [ours, theirs] = registering.all('Path')
    expect(ours).toMatch(new RegExp(`^<sip:[A-Za-z0-9_-]+@${s.lb.hostPort};lr>$`))
    expect([theirs, registering.all('Record-Route')]).toEqual(['<sip:edge.example.com;lr>', []])
    s.phone.ask({ method: 'REGISTER', uri: 'sip:other.example' })
    expect((await s.px2.next('REGISTER')).all('Path')).toEqual([])
  })

  it('is two where the sides know us by different transports, that of the proxy on top', async () => {
    await using s = await scene({ listen: ['tcp'] })
    await using phone = await StreamPeer.connect(s.lb.place)
    phone.send(requestBytes(overTcp(phone)))
    const asked = await s.px1.next('INVITE')
    const [far = '', near] = asked.all('Record-Route')
    expect(far).toMatch(new RegExp(`^<sip:[A-Za-z0-9_-]+@${s.lb.hostPort};lr>$`))
    expect(near).toBe(far.replace(';lr>', ';transport=tcp;lr>'))
    s.px1.answer(asked, 200, { headers: [contactOf(s.px1)] })
    const ok = await phone.next(200)
    const routes = ok.all('Record-Route').toReversed()
    const bye = { method: 'BYE', to: ok.one('To'), from: ok.one('From'), callId: ok.one('Call-ID'), cseq: 2 }
    phone.send(requestBytes(overTcp(phone, { ...bye, headers: routes.map((route) => `Route: ${route}`) })))
    expect((await s.px1.next('BYE')).all('Route')).toEqual([])
  })

  it('is a sips one on the side that is secure, where the Request-URI is one', async () => {
    await using stack = new AsyncDisposableStack()
    const own = stack.use(await makeCertificate({ names: ['lb.example.com'] }))
    const tls = { cert: own.certPath, key: own.keyPath }
    const s = stack.use(await scene({ listen: ['tls'], ingress: { tls } }))
    const phone = stack.use(await dialTls(s.lb.placeOf('tls'), own.cert))
    const invite = { via: `SIP/2.0/TLS phone.invalid;branch=z9hG4bK${token()}`, callId: token() }
    phone.send(requestBytes({ ...invite, uri: 'sips:bob@example.com' }))
    const asked = await s.px1.next('INVITE')
    const [far, near = ''] = asked.all('Record-Route')
    expect(far).toMatch(/^<sip:[^;]*;lr>$/)
    expect(near).toMatch(new RegExp(`^<sips:[A-Za-z0-9_-]+@127.0.0.1:${s.lb.placeOf('tls').port};transport=tcp;lr>$`))
    s.px1.answer(asked, 200, { headers: [contactOf(s.px1)] })
    const ok = await phone.next(200)
    const routes = ok.all('Record-Route').toReversed()
    const bye = { method: 'BYE', to: ok.one('To'), from: ok.one('From'), callId: invite.callId, cseq: 2 }
    const via = `SIP/2.0/TLS phone.invalid;branch=z9hG4bK${token()}`
    phone.send(requestBytes({ ...bye, via, headers: routes.map((route) => `Route: ${route}`) }))
    expect((await s.px1.next('BYE')).all('Route')).toEqual([])
  })
})

describe.concurrent('rule 17: body and headers:', () => {
  it('body, order and odd headers arrive octet for octet', async () => {
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

  it('Via, Route and Record-Route of others are read in every form that the grammar has', async () => {
    await using s = await scene()
    const { invite, ok } = await s.call()
    const [ours = ''] = ok.all('Record-Route')
    const vias = [
      `v : SIP / 2.0 / UDP ${s.phone.peer.hostPort} ; branch = z9hG4bK${token()};x="a,;\\"b",`,
      '  SIP/2.0/TCP [2001:db8::1]:5061;branch=z9hG4bK.2;received=[2001:db8::9] , SIP/2.0/SCTP old.example ;hidden',
    ]
    const routes = [
      `Route: "Us, <sip:x> \\"" ${ours} ;a="b,c"`,
      ' , <sip:%61b@deeper.example;lr;m=%3B> ;q',
      'ROUTE:\t<sip:d;lr>',
    ]
    const rest = ['Max-Forwards: 9', `f: ${invite.from}`, `t: ${ok.one('To')}`, `i: ${invite.callId}`, 'CSeq: 2 BYE']
    s.phone.peer.send(['BYE sip:bob@b SIP/2.0', ...vias, ...routes, ...rest, 'l:0', '', ''].join('\r\n'), s.lb.place)
    const bye = await s.px1.next('BYE')
    expect(bye.lines.slice(1, 3)).toEqual(vias)
    expect(bye.lines.slice(3, 5)).toEqual(['Route: <sip:%61b@deeper.example;lr;m=%3B> ;q', 'ROUTE:\t<sip:d;lr>'])
    s.px1.send(bye.bytes.toString('latin1').replace(/^.*/, 'SIP/2.0 200 OK').replace('t: ', 'To : '), bye.source)
    const answer = await s.phone.next(200)
    expect(answer.lines.slice(0, 2)).toEqual(vias)
    expect(answer.one('To ')).toBe(ok.one('To'))
  })

  it('a response arrives octet for octet', async () => {
    await using s = await scene()
    s.phone.ask()
    const asked = await s.px1.next('INVITE')
    const [ours = '', ...theirs] = asked.all('Via')
    const tail = [
      ...theirs.map((via) => `via:${via}`),
      `f: ${asked.one('From')}`,
      `t:${asked.one('To')} ;tag=x`,
      `i: ${asked.one('Call-ID')}`,
      'CSeq: 1 INVITE',
      'X-Odd:a',
      'x-odd:  ',
      ' b',
      'Content-Length: 5',
      '',
      '\x00\xff\r\n\x80',
    ].join('\r\n')
    s.px1.send(`SIP/2.0 299 Gr\xc3\xbc\xc3\x9fe\r\nVia: ${ours}\r\n${tail}`, asked.source)
    expect((await s.phone.next(299)).bytes.toString('latin1')).toBe(`SIP/2.0 299 Gr\xc3\xbc\xc3\x9fe\r\n${tail}`)
  })

  it('what goes by a connection is told its length', async () => {
    await using s = await scene({ listen: ['tcp'] })
    await using px = await StreamProxy.open()
    s.lb.reconfigure({ default: { proxies: [{ id: 'px1', uri: px.uri }] } })
    const bytes = requestBytes({ method: 'MESSAGE', via: s.phone.via(), callId: token(), body: 'hello' })
    s.phone.peer.send(bytes.toString('latin1').replace('Content-Length: 5\r\n', ''), s.lb.place)
    const asked = await (await px.connection()).next('MESSAGE')
    expect([asked.all('Content-Length'), asked.body]).toEqual([['5'], 'hello'])
  })
})

describe.concurrent('rule 18: next hop by local policy: a request to a chosen proxy', () => {
  it('keeps its Request-URI and gets no Route, nor do its CANCEL and ACK', async () => {
    await using s = await scene()
    const invite = s.phone.ask({ uri: 'sip:bob@example.com;user=phone' })
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 180)
    await s.phone.next(180)
    s.phone.cancel(invite)
    const cancel = await s.px1.next('CANCEL')
    s.px1.answer(asked, 487)
    const ack = await s.px1.next('ACK')
    for (const one of [asked, cancel, ack])
      expect([one.requestUri, one.all('Route')]).toEqual(['sip:bob@example.com;user=phone', []])
  })
})

describe.concurrent('rule 19: size: a request', () => {
  const large = 'x'.repeat(1400)

  async function beside(uriOf: (px: StreamProxy) => string) {
    const stack = new AsyncDisposableStack()
    const px = stack.use(await StreamProxy.open())
    const s = stack.use(await scene({ listen: ['tcp'], px1Uri: uriOf(px) }))
    const datagrams = stack.use(await Peer.open('127.0.0.1', px.place.port))
    return { ...s, px, datagrams, [Symbol.asyncDispose]: () => stack.disposeAsync() }
  }

  const withoutTransport = ({ uri }: StreamProxy) => uri.replace(';transport=tcp', '')

  it('of more than 1300 octets goes by a connection, and so do its CANCEL and ACK', async () => {
    await using s = await beside(withoutTransport)
    const invite = s.phone.ask({ body: large })
    const connection = await s.px.connection()
    const asked = await connection.next('INVITE')
    expect([asked.body, asked.one('Via').slice(0, 12)]).toEqual([large, 'SIP/2.0/TCP '])
    connection.answer(asked, 180)
    await s.phone.next(180)
    s.phone.cancel(invite)
    expect((await connection.next('CANCEL')).one('Via')).toBe(asked.one('Via'))
    connection.answer(asked, 487)
    expect((await connection.next('ACK')).one('Via')).toBe(asked.one('Via'))
    expect(s.datagrams.heard).toEqual([])
  })

  it('that is smaller does not', async () => {
    await using s = await beside(withoutTransport)
    s.phone.ask({ body: 'x'.repeat(300) })
    expect((await s.datagrams.next('INVITE')).one('Via')).toContain('SIP/2.0/UDP')
    expect(s.px.connections).toEqual([])
  })

  it('goes by UDP all the same where the operator says so', async () => {
    await using s = await beside((px) => `${withoutTransport(px)};transport=udp`)
    s.phone.ask({ body: large })
    await s.datagrams.next('INVITE')
    expect(s.px.connections).toEqual([])
  })

  it('goes by UDP all the same where the proxy takes no connection', async () => {
    await using s = await scene({ listen: ['tcp'] })
    s.phone.ask({ body: large })
    expect((await s.px1.next('INVITE')).one('Via')).toContain('SIP/2.0/UDP')
    expect(s.px2.heard).toEqual([])
  })
})

describe.concurrent('rule 20: framing: datagrams', () => {
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

describe.concurrent('rule 20: framing: on a connection', () => {
  async function connected() {
    const stack = new AsyncDisposableStack()
    const s = stack.use(await scene({ listen: ['tcp'] }))
    const caller = stack.use(await StreamPeer.connect(s.lb.place))
    return { ...s, caller, [Symbol.asyncDispose]: () => stack.disposeAsync() }
  }

  it('messages are told apart however they are cut', async () => {
    await using s = await connected()
    const all = ['one', 'two', 'three'].map((body) => requestBytes(overTcp(s.caller, { method: 'MESSAGE', body })))
    const bytes = Buffer.concat([Buffer.from('\r\n'), ...all])
    s.caller.send(bytes)
    for (const body of ['one', 'two', 'three']) expect((await s.px1.next('MESSAGE')).body).toBe(body)
    const again = Buffer.concat([
      requestBytes(overTcp(s.caller, { method: 'INFO', body: 'one' })),
      requestBytes(overTcp(s.caller, { method: 'INFO', body: 'two' })),
    ])
    for (let at = 0; at < again.length; at += 7) {
      s.caller.send(again.subarray(at, at + 7))
      await sleep(1)
    }
    for (const body of ['one', 'two']) expect((await s.px1.next('INFO')).body).toBe(body)
  })

  it('two line ends between messages are a ping and get one back, one gets nothing', async () => {
    await using s = await connected()
    s.caller.send('\r\n')
    await sleep(50)
    expect(s.caller.octets).toBe('')
    s.caller.send(requestBytes(overTcp(s.caller, { method: 'OPTIONS', uri: `sip:${s.lb.hostPort}` })))
    await s.caller.next(200)
    const answered = s.caller.octets
    s.caller.send('\r\n\r\n')
    await eventually(() => s.caller.octets.slice(answered.length), '\r\n')
    expect(await s.lb.metric('siplb_sip_malformed_total')).toBe(0)
  })

  it.each([
    ['without Content-Length', ''],
    ['with one that is no number', 'Content-Length: many\r\n'],
    ['with a negative one', 'Content-Length: -1\r\n'],
    ['with one beyond all limits', 'Content-Length: 99999999\r\n'],
    ['with two', 'Content-Length: 0\r\nl: 5\r\n'],
  ])('a message %s gets 400 and is the last', async (_, line) => {
    await using s = await connected()
    const bytes = requestBytes(overTcp(s.caller)).toString('latin1').replace('Content-Length: 0\r\n', line)
    s.caller.send(bytes)
    await s.caller.next(400)
    await eventually(() => s.caller.isEnded, true)
    expect(s.px1.heard).toEqual([])
  })
})
