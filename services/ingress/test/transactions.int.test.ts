import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { scene } from './scene.ts'
import { Phone, token } from './phone.ts'

describe.concurrent('rule 1: a request that comes again', () => {
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
    expect([s.px1.count('INVITE'), s.px2.count('INVITE')]).toEqual([1, 0])
    expect(await s.lb.metric('siplb_sip_retransmissions_total')).toBe(4)
    expect(await s.lb.metric('siplb_sip_requests_total', { method: 'INVITE' })).toBe(1)
  })

  it('is absorbed after its 2xx too, which the callee repeats himself', async () => {
    await using s = await scene()
    const { invite } = await s.call()
    s.phone.again(invite)
    await sleep(100)
    expect([s.px1.count('INVITE'), s.phone.count(200)]).toEqual([1, 1])
  })

  it('gets its final response from memory where it is no INVITE', async () => {
    await using s = await scene()
    const message = s.phone.ask({ method: 'MESSAGE' })
    s.px1.answer(await s.px1.next('MESSAGE'), 200, { headers: ['X-Once: yes'] })
    const first = await s.phone.next(200)
    s.phone.again(message)
    expect((await s.phone.next(200)).bytes).toEqual(first.bytes)
    expect(s.px1.count('MESSAGE')).toBe(1)
  })

  it('is known without a magic cookie, by all that RFC 2543 compared', async () => {
    await using s = await scene()
    const via = `SIP/2.0/UDP ${s.phone.peer.hostPort};branch=1`
    const first = s.phone.ask({ via })
    s.px1.answer(await s.px1.next('INVITE'), 180)
    await s.phone.next(180)
    s.phone.again(first)
    await s.phone.next(180)
    expect(s.px1.count('INVITE')).toBe(1)
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

describe.concurrent('rule 2: 100', () => {
  it('comes within 200 ms though the proxy is silent, without a To tag', async () => {
    await using s = await scene()
    const askedAt = performance.now()
    s.phone.ask()
    const trying = await s.phone.next(100)
    expect(trying.at - askedAt).toBeLessThan(400)
    expect(trying.toTag).toBeUndefined()
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
    expect(s.phone.count(100)).toBe(0)
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

describe.concurrent('rule 9: CANCEL', () => {
  it('is answered at once, and goes on hop by hop', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 180)
    await s.phone.next(180)
    s.phone.cancel(invite)
    expect((await s.phone.next(200)).one('CSeq')).toBe('1 CANCEL')
    const cancel = await s.px1.next('CANCEL')
    expect(cancel.requestUri).toBe(asked.requestUri)
    expect(cancel.all('Via')).toEqual(asked.all('Via').slice(0, 1))
    for (const name of ['From', 'To', 'Call-ID']) expect(cancel.one(name)).toBe(asked.one(name))
    expect(cancel.one('CSeq')).toBe('1 CANCEL')
    expect(cancel.source).toEqual(asked.source)
    s.px1.answer(cancel, 200)
    s.px1.answer(asked, 487)
    s.phone.acknowledge(invite, await s.phone.next(487))
    expect((await s.px1.next('ACK')).branch).toBe(asked.branch)
    expect(s.phone.count(200)).toBe(1)
  })

  it('waits for a provisional response', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.phone.cancel(invite)
    await s.phone.next(200)
    await sleep(150)
    expect(s.px1.count('CANCEL')).toBe(0)
    s.px1.answer(asked, 100)
    await s.px1.next('CANCEL')
    s.px1.answer(asked, 487)
    await s.phone.next(487)
  })

  it('that comes again is answered again, and goes on once', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 180)
    await s.phone.next(180)
    s.phone.cancel(invite)
    await s.phone.next(200)
    s.phone.cancel(invite)
    await s.phone.next(200)
    s.px1.answer(await s.px1.next('CANCEL'), 200)
    await sleep(100)
    expect(s.px1.count('CANCEL')).toBe(1)
  })

  it('carries the Route of the INVITE that it means', async () => {
    await using s = await scene()
    const { invite, ok } = await s.call()
    const routes = [`Route: <${s.px1.uri};lr>`]
    const again = s.phone.follow(invite, ok, 'INVITE', { headers: routes })
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 180)
    await s.phone.next(180)
    s.phone.cancel(again)
    expect((await s.px1.next('CANCEL')).all('Route')).toEqual([`<${s.px1.uri};lr>`])
  })

  it('of nothing that we know gets 481 and goes nowhere', async () => {
    await using s = await scene()
    s.phone.ask({ method: 'CANCEL' })
    await s.phone.next(481)
    expect([s.px1.count('CANCEL'), s.px2.count('CANCEL')]).toEqual([0, 0])
  })

  it('that comes after the answer is answered and goes nowhere', async () => {
    await using s = await scene()
    const { invite } = await s.call()
    s.phone.cancel(invite)
    await s.phone.next(200)
    await sleep(50)
    expect(s.px1.count('CANCEL')).toBe(0)
  })

  it('that crosses a 2xx does not keep it from the caller', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 180)
    await s.phone.next(180)
    s.phone.cancel(invite)
    await s.px1.next('CANCEL')
    s.px1.answer(asked, 200)
    expect((await s.phone.next(200)).one('CSeq')).toBe('1 CANCEL')
    expect((await s.phone.next(200)).one('CSeq')).toBe('1 INVITE')
  })
})

it('rule 10: after a CANCEL no other proxy is tried', async () => {
  await using s = await scene()
  const invite = s.phone.ask()
  const asked = await s.px1.next('INVITE')
  s.phone.cancel(invite)
  await s.phone.next(200)
  await sleep(600)
  s.px1.answer(asked, 503)
  await s.phone.next(500)
  expect(s.px2.heard).toEqual([])
})

describe.concurrent('rule 11: the ACK of a refusal', () => {
  it('is ours on the way down, and that of the caller is absorbed', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 486, { tag: 'busy' })
    const ack = await s.px1.next('ACK')
    expect(ack.all('Via')).toEqual(asked.all('Via').slice(0, 1))
    expect([ack.toTag, ack.one('CSeq'), ack.requestUri]).toEqual(['busy', '1 ACK', asked.requestUri])
    s.phone.acknowledge(invite, await s.phone.next(486))
    await sleep(700)
    expect([s.px1.count('ACK'), s.phone.count(486)]).toEqual([1, 1])
  })

  it('is sent again for each copy of the refusal, which goes up once', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 486)
    s.phone.acknowledge(invite, await s.phone.next(486))
    await s.px1.next('ACK')
    s.px1.answer(asked, 486)
    await s.px1.next('ACK')
    await sleep(50)
    expect(s.phone.count(486)).toBe(1)
  })
})

describe.concurrent('rule 12: the ACK of a 2xx', () => {
  it('goes on to the proxy of the call, with a branch of its own, and is never answered', async () => {
    await using s = await scene()
    const { asked, ack, invite } = await s.call()
    expect(ack.branch).not.toBe(asked.branch)
    expect(ack.branch).toMatch(/^z9hG4bK\.sl\.lb1\.0\./)
    expect(ack.all('Via')).toHaveLength(2)
    expect(ack.all('Route')).toEqual([])
    expect(ack.one('Call-ID')).toBe(invite.callId)
    await sleep(150)
    expect(s.phone.peer.heard.map(({ status }) => status).filter((status) => status !== 100)).toEqual([200])
  })

  it('is passed on again when the 2xx came again', async () => {
    await using s = await scene()
    const { invite, asked, ok } = await s.call()
    s.px1.answer(asked, 200)
    await s.phone.next(200)
    s.phone.follow(invite, ok, 'ACK')
    await s.px1.next('ACK')
  })

  it('is passed on though a careless caller gives it the branch of its INVITE', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 200, { headers: [`Contact: <sip:bob@${s.px1.hostPort}>`] })
    s.phone.follow(invite, await s.phone.next(200), 'ACK', { via: invite.via })
    const ack = await s.px1.next('ACK')
    expect([ack.requestUri, ack.one('CSeq'), ack.toTag]).toEqual([`sip:bob@${s.px1.hostPort}`, '1 ACK', 'callee'])
  })
})

describe.concurrent('rule 13: a refusal of our own', () => {
  it('is repeated until its ACK comes, which goes nowhere', async () => {
    await using s = await scene({ pool: { match: { domain: 'example.com' } } })
    const invite = s.phone.ask({ uri: 'sip:bob@elsewhere.example' })
    await s.phone.next(404)
    const refusal = await s.phone.next(404)
    s.phone.acknowledge(invite, refusal)
    await sleep(1200)
    expect(s.phone.count(404)).toBe(2)
    expect([...s.px1.heard, ...s.px2.heard]).toEqual([])
    expect(await s.lb.metric('siplb_sip_dropped_total')).toBe(0)
  })

  it('of a broken INVITE has a tag by which its ACK is known without a transaction', async () => {
    await using s = await scene()
    const invite = s.phone.ask({ maxForwards: 'many' })
    const refusal = await s.phone.next(400)
    s.phone.acknowledge(invite, refusal)
    await sleep(100)
    expect(s.px1.heard).toEqual([])
    expect(await s.lb.metric('siplb_sip_dropped_total', { reason: 'ack-of-own-answer' })).toBe(1)
  })
})

describe.concurrent('rule 28: over UDP', () => {
  it('an INVITE is repeated after 0.5 s and 1 s as long as nothing comes', async () => {
    await using s = await scene({ pool: { proxies: [] } })
    s.lb.reconfigure({ default: { proxies: [{ id: 'px1', uri: s.px1.uri }] } })
    s.phone.ask()
    const [first, second, third] = [await s.px1.next('INVITE'), await s.px1.next('INVITE'), await s.px1.next('INVITE')]
    expect(second.bytes).toEqual(first.bytes)
    expect(second.at - first.at).toBeGreaterThan(450)
    expect(third.at - second.at).toBeGreaterThan(950)
  })

  it('an INVITE is not repeated after a provisional response', async () => {
    await using s = await scene()
    s.phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 100)
    await sleep(900)
    expect(s.px1.count('INVITE')).toBe(1)
  })

  it('another request is repeated though there was a provisional response', async () => {
    await using s = await scene()
    s.phone.ask({ method: 'MESSAGE' })
    await s.px1.next('MESSAGE')
    await s.px1.next('MESSAGE', 1500)
  })
})
