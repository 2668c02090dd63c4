import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Heard, Peer } from '../peer.ts'
import { token } from '../phone.ts'
import { contactOf, scene, type Scene } from '../scene.ts'

/** A port that was free a moment ago. */
async function closedPort(): Promise<string> {
  await using peer = await Peer.open()
  return peer.uri
}

describe.concurrent('rule 26: failover triggers: another proxy is tried', () => {
  it('on 503, with the same request but for the branch', async () => {
    await using s = await scene()
    s.phone.ask({ maxForwards: '33' })
    const first = await s.px1.next('INVITE')
    s.px1.answer(first, 503)
    await s.px1.next('ACK')
    const second = await s.px2.next('INVITE')
    for (const name of ['Max-Forwards', 'Call-ID', 'CSeq', 'From', 'To']) expect(second.one(name)).toBe(first.one(name))
    expect(second.one('Max-Forwards')).toBe('32')
    s.px2.answer(second, 200)
    await s.phone.next(200)
    expect(s.phone.count(503)).toBe(0)
    expect(await s.lb.metric('siplb_failovers_total')).toBe(1)
  })

  it('at once where nobody listens', async () => {
    await using s = await scene({ px1Uri: await closedPort() })
    const askedAt = performance.now()
    s.phone.ask({ method: 'MESSAGE' })
    const second = await s.px2.next('MESSAGE')
    // By silence it would take 1.5 s.
    expect(second.at - askedAt).toBeLessThan(1400)
    s.px2.answer(second, 200)
    await s.phone.next(200)
  })

  it('first, for two seconds, where nobody listened at the one that is drawn', async () => {
    await using s = await scene({ px1Uri: await closedPort() })
    for (let i = 0; i < 3; i++) {
      s.phone.ask({ method: 'MESSAGE' })
      s.px2.answer(await s.px2.next('MESSAGE'), 200)
      await s.phone.next(200)
    }
    expect(await s.lb.metric('siplb_proxy_refused_total')).toBe(1)
  })

  it('after half a second of silence', async () => {
    await using s = await scene()
    const askedAt = performance.now()
    s.phone.ask()
    const second = await s.px2.next('INVITE')
    expect(second.at - askedAt).toBeGreaterThan(480)
  })

  it('after one and a half for other requests than INVITE', async () => {
    await using s = await scene()
    const askedAt = performance.now()
    s.phone.ask({ method: 'MESSAGE' })
    const second = await s.px2.next('MESSAGE')
    expect(second.at - askedAt).toBeGreaterThan(1480)
    s.px2.answer(second, 200)
    await s.phone.next(200)
  })

  it('not where the first one is only slow to ring', async () => {
    await using s = await scene()
    s.phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 100)
    await sleep(900)
    expect(s.px2.heard).toEqual([])
  })

  it('not when we ourselves were held up, and the answer lay unread', async () => {
    await using s = await scene()
    s.phone.ask()
    const asked = await s.px1.next('INVITE')
    // To the ingress it looks as if its process had stood still.
    s.lb.skip(600)
    await sleep(50)
    s.px1.answer(asked, 100)
    await sleep(400)
    expect(s.px2.heard).toEqual([])
  })

  it('not after it rang', async () => {
    await using s = await scene()
    s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 180)
    await s.phone.next(180)
    s.px1.answer(asked, 503)
    await s.phone.next(500)
    expect(s.px2.heard).toEqual([])
  })

  it('and the silent one is cancelled when it wakes up', async () => {
    await using s = await scene()
    s.phone.ask()
    const first = await s.px1.next('INVITE')
    const second = await s.px2.next('INVITE')
    s.px2.answer(second, 180)
    await s.phone.next(180)
    s.px1.answer(first, 180)
    const cancel = await s.px1.next('CANCEL')
    expect(cancel.branch).toBe(first.branch)
    s.px1.answer(cancel, 200)
    s.px1.answer(first, 487)
    expect((await s.px1.next('ACK')).branch).toBe(first.branch)
    s.px2.answer(second, 200)
    await s.phone.next(200)
    expect([s.phone.count(180), s.phone.count(487)]).toEqual([1, 0])
  })

  it('and the silent one still counts if it answers: the other is cancelled', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    const first = await s.px1.next('INVITE')
    const second = await s.px2.next('INVITE')
    s.px2.answer(second, 100)
    await sleep(30)
    s.px1.answer(first, 200, { headers: [contactOf(s.px1)] })
    const ok = await s.phone.next(200)
    s.phone.follow(invite, ok, 'ACK')
    await s.px1.next('ACK')
    const cancel = await s.px2.next('CANCEL')
    // RFC 3326: or the phone that rang in vain would show a missed call.
    expect(cancel.one('Reason')).toBe('SIP ;cause=200 ;text="Call completed elsewhere"')
    s.px2.answer(cancel, 200)
    s.px2.answer(second, 487)
    await s.px2.next('ACK')
    expect(s.phone.count(487)).toBe(0)
  })

  it('at once where no connection is taken', async () => {
    await using s = await scene({ px1Uri: `${await closedPort()};transport=tcp` })
    const askedAt = performance.now()
    s.phone.ask({ method: 'MESSAGE' })
    const second = await s.px2.next('MESSAGE')
    expect(second.at - askedAt).toBeLessThan(1400)
    s.px2.answer(second, 200)
    await s.phone.next(200)
  })
})

describe.concurrent('rule 27: 503: when no proxy is left', () => {
  it('the caller gets 503 with a time of ours, never with that of a proxy', async () => {
    await using s = await scene()
    const waits: number[] = []
    for (let i = 0; i < 5; i++) {
      const invite = s.phone.ask()
      s.px1.answer(await s.px1.next('INVITE'), 503, { headers: ['Retry-After: 1000'] })
      s.px2.answer(await s.px2.next('INVITE'), 503, { headers: ['Retry-After: 1000'] })
      const refusal = await s.phone.next(503)
      s.phone.acknowledge(invite, refusal)
      waits.push(Number(refusal.one('Retry-After')))
    }
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(5)
    expect(Math.max(...waits)).toBeLessThanOrEqual(15)
    expect(new Set(waits).size, `not at random: ${waits.join()}`).toBeGreaterThan(1)
  })

  it('because nobody listens anywhere, he gets the same', async () => {
    await using s = await scene({ px1Uri: await closedPort() })
    await s.px2.close()
    s.phone.ask()
    expect(Number((await s.phone.next(503)).one('Retry-After'))).toBeGreaterThanOrEqual(5)
  })

  it('because there is none that takes anything new, he gets the same', async () => {
    await using s = await scene()
    s.lb.reconfigure({ default: { proxies: [{ id: 'px1', uri: s.px1.uri, weight: 0 }] } })
    s.phone.ask()
    expect(Number((await s.phone.next(503)).one('Retry-After'))).toBeGreaterThanOrEqual(5)
    expect(s.px1.heard).toEqual([])
  })

  it('because we drain, he gets no time: another balancer may be there at once', async () => {
    await using s = await scene()
    await s.lb.drain()
    s.phone.ask()
    expect((await s.phone.next(503)).all('Retry-After')).toEqual([])
    expect(s.px1.heard).toEqual([])
  })
})

describe.concurrent('rule 26: failover triggers: a proxy that dies while it rings', () => {
  it('loses the call to another one as soon as it is known to be down', async () => {
    await using s = await scene()
    s.phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 180)
    await s.phone.next(180)
    await s.px1.close()
    // The next that is sent there finds the port closed, and so tells of all that wait.
    s.phone.ask({ method: 'MESSAGE' })
    const asked = await s.px2.next('INVITE')
    s.px2.answer(await s.px2.next('MESSAGE'), 200)
    s.px2.answer(asked, 200)
    expect((await s.phone.next(200)).one('CSeq')).toBe('1 MESSAGE')
    expect((await s.phone.next(200)).one('CSeq')).toBe('1 INVITE')
  })
})

describe.concurrent('rule 29: loops', () => {
  it('a proxy that is ourselves is never sent to', async () => {
    await using s = await scene()
    s.lb.reconfigure({ default: { proxies: [{ id: 'px1', uri: `sip:${s.lb.hostPort}` }] } })
    s.phone.ask()
    await s.phone.next(503)
    expect(await s.lb.metric('siplb_sip_requests_total', { method: 'INVITE' })).toBe(1)
  })

  it.each(['localhost', '127.0.0.1'])('nor is one that has our name %s among others', async (host) => {
    await using s = await scene({ ingress: { advertise: host } })
    s.lb.reconfigure({ default: { proxies: [{ id: 'px1', uri: `sip:${host}:${s.lb.place.port};x=1` }] } })
    s.phone.ask()
    await s.phone.next(503)
    expect(await s.lb.metric('siplb_sip_requests_total', { method: 'INVITE' })).toBe(1)
  })

  it('nor is one for long whose name leads to us', async () => {
    await using s = await scene()
    s.lb.reconfigure({ default: { proxies: [{ id: 'px1', uri: `sip:localhost:${s.lb.place.port};transport=udp` }] } })
    s.phone.ask()
    await s.phone.next(482)
    expect(await s.lb.metric('siplb_sip_requests_total', { method: 'INVITE' })).toBe(2)
  })

  it('a request whose topmost Via is ours came from us, and gets 482', async () => {
    await using s = await scene()
    const via = `SIP/2.0/UDP ${s.lb.hostPort};rport;branch=z9hG4bK.sl.lb1.0.abc`
    s.phone.ask({ via })
    await s.phone.next(482)
    expect(s.px1.heard).toEqual([])
  })

  /** What px1 makes of an INVITE that it sends back to us, from a port by which it is not known for a proxy. */
  async function sentBack(s: Scene, back: Peer, change: (text: string) => string) {
    s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 100)
    const via = `Via: SIP/2.0/UDP ${back.hostPort};branch=z9hG4bK${token()}\r\n`
    back.send(change(asked.bytes.toString('latin1').replace('\r\n', `\r\n${via}`)), s.lb.place)
    return asked
  }

  it('a request that comes back unchanged gets 482', async () => {
    await using s = await scene()
    await using back = await Peer.open()
    const asked = await sentBack(s, back, (text) => text)
    await back.next(482)
    expect(s.px1.countNew('INVITE')).toBe(1)
    s.px1.answer(asked, 486)
    await s.phone.next(486)
  })

  it('one that comes back with another Request-URI is a spiral, and goes on', async () => {
    await using s = await scene()
    await using back = await Peer.open()
    await sentBack(s, back, (text) => text.replace('sip:bob@example.com', 'sip:bob@mobile.example.com'))
    const spiral = await s.px1.next('INVITE')
    expect(spiral.all('Via')).toHaveLength(4)
    s.px1.answer(spiral, 486)
    await back.next(486)
  })

  it('one that comes back for another pool is a spiral, and goes on', async () => {
    await using s = await scene()
    await using back = await Peer.open('127.0.0.9')
    const inner = { proxies: [{ id: 'in1', uri: s.px2.uri }], match: { source: ['127.0.0.9/32'] } }
    s.lb.reconfigure({ inner, default: { proxies: [{ id: 'px1', uri: s.px1.uri }] } })
    await sentBack(s, back, (text) => text)
    expect((await s.px2.next('INVITE')).all('Via')).toHaveLength(4)
  })
})

describe.concurrent('rule 30: Max-Breadth', () => {
  it('what it says is carried untouched from one proxy to the next', async () => {
    await using s = await scene()
    s.phone.ask({ headers: ['Max-Breadth: 60'] })
    const first = await s.px1.next('INVITE')
    s.px1.answer(first, 503)
    const second = await s.px2.next('INVITE')
    expect([first.all('Max-Breadth'), second.all('Max-Breadth')]).toEqual([['60'], ['60']])
  })

  it('who says one is at one proxy at a time, however silent that is', async () => {
    await using s = await scene()
    s.phone.ask({ headers: ['Max-Breadth: 1'] })
    await s.px1.next('INVITE')
    await s.px1.next('INVITE')
    await sleep(300)
    expect(s.px2.heard).toEqual([])
  })

  it('none left is answered with 440', async () => {
    await using s = await scene()
    s.phone.ask({ headers: ['Max-Breadth: 0'] })
    await s.phone.next(440)
    expect(s.px1.heard).toEqual([])
  })
})

it('rule 31: overload parameters: what a proxy asks for stays here, nothing of it reaches the caller, wherever a proxy wrote it', async () => {
  await using s = await scene()
  const via = `${s.phone.via()};oc;oc-algo="loss"`
  s.phone.ask({ via })
  const invite = await s.px1.next('INVITE')
  expect(invite.all('Via')[1]).toContain(';oc;oc-algo="loss"')
  for (const status of [180, 200]) {
    s.px1.answer(invite, status)
    expect((await s.phone.next(status)).all('Via')).toEqual([invite.all('Via')[1]])
  }
  s.phone.ask({ via: `${s.phone.via()};oc`, method: 'MESSAGE' })
  const other = await s.px1.next('MESSAGE')
  const text = other.bytes.toString('latin1').replaceAll(/;oc(?=[;\r])/g, ';oc=40;oc-validity=900;oc-seq=1.0')
  expect(text.match(/;oc=40/g)).toHaveLength(2)
  s.px1.answer(new Heard(Buffer.from(text, 'latin1'), other.source), 200)
  expect((await s.phone.next(200)).one('Via')).not.toContain('oc')
})

it('rule 32: change during a transaction: a request stays with the candidates that it was given, whatever becomes of the table', async () => {
  await using s = await scene()
  await using px3 = await Peer.open()
  s.phone.ask()
  const first = await s.px1.next('INVITE')
  s.lb.reconfigure({ default: { proxies: [{ id: 'px3', uri: px3.uri }] } })
  s.px1.answer(first, 503)
  s.px2.answer(await s.px2.next('INVITE'), 200)
  await s.phone.next(200)
  expect(px3.heard).toEqual([])
  s.phone.ask()
  await px3.next('INVITE')
})
