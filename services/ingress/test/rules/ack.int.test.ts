import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { contactOf, scene } from '../scene.ts'

describe.concurrent('rule 11: ACK of a refusal: it', () => {
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

  it('carries the Route of the INVITE', async () => {
    await using s = await scene()
    const { invite, ok } = await s.call()
    const route = `<${s.px1.uri};lr>`
    s.phone.follow(invite, ok, 'INVITE', { headers: [`Route: ${route}`] })
    s.px1.answer(await s.px1.next('INVITE'), 488)
    const ack = await s.px1.next('ACK')
    expect([ack.all('Route'), ack.one('CSeq')]).toEqual([[route], '2 ACK'])
  })

  it('is absorbed without a magic cookie too, by all that RFC 2543 compared', async () => {
    await using s = await scene()
    const invite = s.phone.ask({ via: `SIP/2.0/UDP ${s.phone.peer.hostPort};branch=1` })
    s.px1.answer(await s.px1.next('INVITE'), 486)
    s.phone.acknowledge(invite, await s.phone.next(486))
    await sleep(700)
    expect([s.phone.count(486), s.px1.count('ACK')]).toEqual([1, 1])
  })
})

describe.concurrent('rule 12: ACK of a 2xx: it', () => {
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

  it('goes where the token says, not to a new choice', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 200, { headers: [contactOf(s.px1)] })
    const ok = await s.phone.next(200)
    s.lb.reconfigure({ default: { proxies: [{ id: 'px2', uri: s.px2.uri }] } })
    s.phone.follow(invite, ok, 'ACK')
    await s.px1.next('ACK')
    expect(s.px2.heard).toEqual([])
  })

  it('goes nowhere with no hops left, and nobody is told', async () => {
    await using s = await scene()
    const { invite, ok } = await s.call()
    s.phone.follow(invite, ok, 'ACK', { maxForwards: '0' })
    await sleep(50)
    expect([s.px1.count('ACK'), s.phone.count(483)]).toEqual([1, 0])
  })
})

describe.concurrent('rule 13: ACK of our own answer: the refusal', () => {
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

  it.each([
    { status: 416, parts: { uri: 'mailto:bob@example.com' } },
    { status: 420, parts: { headers: ['Proxy-Require: foo'] } },
    { status: 440, parts: { headers: ['Max-Breadth: 0'] } },
    { status: 481, parts: { to: '<sip:bob@example.com>;tag=unknown' } },
    { status: 483, parts: { maxForwards: '0' } },
  ])('$status is acknowledged to us alone', async ({ status, parts }) => {
    await using s = await scene()
    const invite = s.phone.ask(parts)
    s.phone.acknowledge(invite, await s.phone.next(status))
    await sleep(700)
    expect(s.phone.count(status)).toBe(1)
    expect([...s.px1.heard, ...s.px2.heard]).toEqual([])
    expect(await s.lb.metric('siplb_sip_dropped_total', { reason: 'ack-without-dialog' })).toBe(0)
  })

  it('503 for want of a proxy is acknowledged to us alone', async () => {
    await using s = await scene()
    s.lb.reconfigure({ default: { proxies: [] } })
    const invite = s.phone.ask()
    s.phone.acknowledge(invite, await s.phone.next(503))
    await sleep(700)
    expect(s.phone.count(503)).toBe(1)
    expect(await s.lb.metric('siplb_sip_dropped_total', { reason: 'ack-without-dialog' })).toBe(0)
  })
})
