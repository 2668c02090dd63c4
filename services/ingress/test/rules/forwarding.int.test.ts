import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { requestBytes } from '../messages.ts'
import { Peer } from '../peer.ts'
import { token } from '../phone.ts'
import { contactOf, scene } from '../scene.ts'

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
    const branches = new Set<string>()
    for (let i = 0; i < 20; i++) {
      s.phone.ask({ method: 'MESSAGE' })
      const asked = await s.px1.next('MESSAGE')
      branches.add(asked.branch)
      s.px1.answer(asked, 200)
    }
    expect(branches.size).toBe(20)
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
    await using victim = await Peer.open()
    const claims = `;rport=${victim.place.port};received=${victim.place.address};maddr=${victim.place.address}`
    s.phone.ask({ method: 'MESSAGE', via: `SIP/2.0/UDP phone.invalid${claims};branch=z9hG4bK${token()}` })
    const asked = await s.px1.next('MESSAGE')
    expect(asked.all('Via')[1]).toContain(`;rport=${s.phone.peer.place.port};received=127.0.0.1;`)
    s.px1.answer(asked, 200)
    await s.phone.next(200)
    expect(victim.heard).toEqual([])
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
