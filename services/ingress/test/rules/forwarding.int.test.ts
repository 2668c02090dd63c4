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

it('rule 17: body and headers: body, order and odd headers arrive octet for octet', async () => {
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
