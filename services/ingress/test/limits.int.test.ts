import { describe, expect, it } from 'vitest'
import { eventually } from './eventually.ts'
import { requestBytes, type RequestParts } from './messages.ts'
import { Peer } from './peer.ts'
import { Phone } from './phone.ts'
import { contactOf, fromCallee, scene, type Scene } from './scene.ts'
import { StreamPeer } from './stream-peer.ts'

const tight = { perSecond: 0.001, burst: 3 }

/** Strangers all: the phone is not trusted, and no proxy has its address. */
const strangers = (limits: object = {}) =>
  scene({
    proxyAddress: '127.0.0.2',
    listen: ['tcp'],
    ingress: { trusted: [], limits: { perAddress: tight, ...limits } },
  })

/** Copies are not counted. */
const transactionsAt = (peer: Peer): number => new Set(peer.heard.map(({ branch }) => branch)).size

async function expectDropped(s: Scene, reason: string, count: number): Promise<void> {
  const dropped = () => s.lb.metric('siplb_sip_dropped_total', { reason })
  await eventually(dropped, count)
}

describe.concurrent('a source over its limit', () => {
  it('has its new requests dropped without an answer, and counted', async () => {
    await using s = await strangers()
    for (let i = 0; i < 5; i++) s.phone.ask({ method: 'MESSAGE' })
    await expectDropped(s, 'rate-of-address', 2)
    await eventually(() => transactionsAt(s.px1), 3)
    expect(s.phone.peer.heard).toEqual([])
  })

  it('is let through when it is trusted', async () => {
    await using s = await scene({ proxyAddress: '127.0.0.2', ingress: { limits: { perAddress: tight } } })
    for (let i = 0; i < 5; i++) s.phone.ask({ method: 'MESSAGE' })
    await eventually(() => transactionsAt(s.px1), 5)
  })

  it('goes on with what it has begun: retransmissions, ACK, re-INVITE, CANCEL, BYE, and what the called side sends', async () => {
    await using s = await strangers()
    const call = await s.call()
    s.phone.ask({ method: 'MESSAGE' })
    const ringing = s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.phone.ask({ method: 'MESSAGE' })
    await expectDropped(s, 'rate-of-address', 1)
    s.phone.again(ringing)
    s.px1.answer(asked, 180)
    await s.phone.next(180)
    s.phone.cancel(ringing)
    await s.px1.next('CANCEL')
    for (let i = 0; i < 5; i++) {
      s.phone.follow(call.invite, call.ok, 'INVITE', { cseq: 10 + i })
      s.px1.answer(await s.px1.next('INVITE'), 200, { headers: [contactOf(s.px1)] })
      await s.phone.next(200)
      s.phone.follow(call.invite, call.ok, 'ACK', { cseq: 10 + i })
      await s.px1.next('ACK')
    }
    s.px1.send(fromCallee(call, 'INFO', s.px1), s.lb.place)
    await s.phone.next('INFO')
    s.phone.follow(call.invite, call.ok, 'BYE', { cseq: 20 })
    await s.px1.next('BYE')
  })

  it('cannot call its requests ones of a dialog: a To tag without our token counts, and so does a CANCEL of nothing', async () => {
    await using s = await strangers()
    for (let i = 0; i < 5; i++) s.phone.ask({ method: 'INFO', to: '<sip:bob@example.com>;tag=made-up' })
    for (let i = 0; i < 5; i++) s.phone.ask({ method: 'CANCEL' })
    await expectDropped(s, 'rate-of-address', 7)
    await eventually(() => s.phone.count(481), 3)
  })

  it('has broken requests answered within the limit only: nobody is flooded in its name', async () => {
    await using s = await strangers()
    for (let i = 0; i < 5; i++) s.phone.ask({ headers: ['Call-ID: another'] })
    await expectDropped(s, 'rate-of-address', 2)
    await eventually(() => s.phone.count(400), 3)
    expect(await s.lb.metric('siplb_sip_malformed_total', { answered: 'true' })).toBe(3)
  })

  it('is held by new settings at once', async () => {
    await using s = await strangers()
    for (let i = 0; i < 4; i++) s.phone.ask({ method: 'MESSAGE' })
    await expectDropped(s, 'rate-of-address', 1)
    s.lb.reconfigureIngress({ trusted: ['127.0.0.0/8'] })
    s.phone.ask({ method: 'OPTIONS' })
    await s.px1.next('OPTIONS')
  })
})

describe.concurrent('addresses that anybody may have made up', () => {
  it('share one limit, which holds no longer for who made a call or registered', async () => {
    const roomy = { perSecond: 1000, burst: 1000 }
    await using s = await strangers({ perAddress: roomy, strangers: tight })
    await using registered = await Phone.open(s.lb.place, '127.0.0.5')
    registered.ask({ method: 'REGISTER', uri: 'sip:example.com' })
    s.px1.answer(await s.px1.next('REGISTER'), 200)
    await registered.next(200)
    await s.call()
    await using stranger = await Phone.open(s.lb.place, '127.0.0.6')
    for (let i = 0; i < 4; i++) stranger.ask({ method: 'MESSAGE' })
    await expectDropped(s, 'rate-of-strangers', 3)
    registered.ask({ method: 'SUBSCRIBE' })
    await s.px1.next('SUBSCRIBE')
    s.phone.ask({ method: 'OPTIONS' })
    await s.px1.next('OPTIONS')
  })

  it('do not become real by a registration that was refused, nor by an OPTIONS that we answered', async () => {
    await using s = await strangers({ strangers: tight })
    s.phone.ask({ method: 'REGISTER', uri: 'sip:example.com' })
    s.px1.answer(await s.px1.next('REGISTER'), 401)
    await s.phone.next(401)
    s.phone.ask({ method: 'OPTIONS', uri: `sip:${s.lb.hostPort}` })
    await s.phone.next(200)
    await using other = await Phone.open(s.lb.place, '127.0.0.6')
    for (let i = 0; i < 2; i++) other.ask({ method: 'MESSAGE' })
    s.phone.ask({ method: 'MESSAGE' })
    await expectDropped(s, 'rate-of-strangers', 2)
  })
})

describe.concurrent('a caller by TCP', () => {
  it('is no stranger, for his address is proven, and is limited like any other', async () => {
    await using s = await strangers({
      strangers: { perSecond: 0.001, burst: 1 },
      perAddress: { perSecond: 0.001, burst: 4 },
    })
    await using caller = await StreamPeer.connect(s.lb.place)
    for (let i = 0; i < 6; i++) caller.send(requestBytes(byTcp(i)))
    await expectDropped(s, 'rate-of-address', 2)
    await eventually(() => transactionsAt(s.px1), 4)
  })

  it('has so many connections as the limits say, and no more', async () => {
    await using s = await strangers({ connectionsPerAddress: 2 })
    await using first = await StreamPeer.connect(s.lb.place)
    await using second = await StreamPeer.connect(s.lb.place)
    await using third = await StreamPeer.connect(s.lb.place)
    await eventually(() => third.isEnded, true)
    expect([first.isEnded, second.isEnded]).toEqual([false, false])
  })

  it('has so long for a message as the limits say', async () => {
    await using s = await strangers({ headerDeadlineMs: 200 })
    await using caller = await StreamPeer.connect(s.lb.place)
    caller.send('MESSAGE sip:bob@example.com SIP/2.0\r\n')
    await eventually(() => caller.isEnded, true)
  })
})

describe.concurrent('a proxy of ours', () => {
  it('is never limited', async () => {
    await using called = await Peer.open('127.0.0.3')
    await using s = await scene({
      proxyAddress: '127.0.0.2',
      pool: { outbound: [called.uri] },
      ingress: { trusted: [], limits: { perAddress: tight } },
    })
    for (let i = 0; i < 6; i++) s.px1.send(fromProxy(s.px1, i), s.lb.place)
    await eventually(() => transactionsAt(called), 6)
  })
})

describe.concurrent('a scanner', () => {
  it.each(['friendly-scanner', 'SIPVicious', 'sipcli/v1.8', 'VaxSIPUserAgent/3.1', 'pplsip'])(
    'that calls itself %s gets no answer, and nobody else hears of it',
    async (agent) => {
      await using s = await strangers()
      for (const method of ['OPTIONS', 'REGISTER', 'INVITE']) {
        s.phone.ask({ method, uri: `sip:${s.lb.hostPort}`, headers: [`User-Agent: ${agent}`] })
      }
      await expectDropped(s, 'scanner', 3)
      expect([...s.phone.peer.heard, ...s.px1.heard, ...s.px2.heard]).toEqual([])
    },
  )
})

describe.concurrent('a datagram', () => {
  it('of more octets than the limit is refused', async () => {
    await using s = await scene({ ingress: { limits: { datagram: 2000 } } })
    s.phone.ask({ body: 'x'.repeat(2000) })
    await s.phone.next(513)
    s.phone.ask({ method: 'MESSAGE', body: 'x'.repeat(1000) })
    await s.px1.next('MESSAGE')
  })
})

describe.concurrent('shedding of our own', () => {
  it('is a stateful 503 without Retry-After, whose ACK ends here', async () => {
    await using s = await scene()
    await s.lb.drain()
    const invite = s.phone.ask()
    const refusal = await s.phone.next(503)
    expect(refusal.all('Retry-After')).toEqual([])
    await s.phone.next(503) // sent again until it is acknowledged: there is a transaction
    s.phone.acknowledge(invite, refusal)
    await eventually(() => s.lb.metric('siplb_sip_requests_total', { method: 'ACK' }), 1)
    expect([...s.px1.heard, ...s.px2.heard]).toEqual([])
  })
})

function byTcp(n: number): RequestParts {
  const via = `SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKtcp${n}`
  return { method: 'MESSAGE', via, callId: `tcp-${n}` }
}

function fromProxy(proxy: Peer, n: number): string {
  return [
    'INVITE sip:carol@example.com SIP/2.0',
    `Via: SIP/2.0/UDP ${proxy.hostPort};branch=z9hG4bKproxy${n}`,
    'Max-Forwards: 70',
    `From: <sip:bob@example.com>;tag=p${n}`,
    'To: <sip:carol@example.com>',
    `Call-ID: proxy-${n}`,
    'CSeq: 1 INVITE',
    `Contact: <sip:bob@${proxy.hostPort}>`,
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n')
}
