import { setTimeout as sleep } from 'node:timers/promises'
import { waitFor } from '@siplb/testkit'
import { describe, expect, it } from 'vitest'
import { startIngress } from './ingress-under-test.ts'
import { Peer } from './peer.ts'
import { Phone } from './phone.ts'
import { contactOf, scene } from './scene.ts'

/** A port that was free a moment ago. */
async function closedPort(): Promise<string> {
  await using peer = await Peer.open()
  return peer.uri
}

describe.concurrent('rule 26: another proxy is tried', () => {
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
    s.phone.ask()
    const second = await s.px2.next('INVITE')
    expect(second.at - askedAt).toBeLessThan(400)
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
    expect(second.at - askedAt).toBeLessThan(1500)
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
    s.px2.answer(await s.px2.next('CANCEL'), 200)
    s.px2.answer(second, 487)
    await s.px2.next('ACK')
    expect(s.phone.count(487)).toBe(0)
  })
})

describe.concurrent('a proxy that dies while it rings', () => {
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

describe.concurrent('rule 27: when no proxy is left', () => {
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

it('rule 32: a request stays with the candidates that it was given, whatever becomes of the table', async () => {
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

describe.concurrent('a dialog whose proxy is gone', () => {
  /** Proxies that record themselves, as most do, so that their own address stands in the route set. */
  async function callAt(s: Awaited<ReturnType<typeof scene>>) {
    const invite = s.phone.ask()
    const asked = await s.px1.next('INVITE')
    const recorded = `Record-Route: <${s.px1.uri};lr;ftag=x>`
    const text = [`${recorded}\r\nRecord-Route: ${asked.one('Record-Route')}`, contactOf(s.px1)]
    s.px1.send(
      [
        'SIP/2.0 200 OK',
        ...asked.all('Via').map((via) => `Via: ${via}`),
        ...text,
        `From: ${asked.one('From')}`,
        `To: ${asked.one('To')};tag=callee`,
        `Call-ID: ${asked.one('Call-ID')}`,
        `CSeq: ${asked.one('CSeq')}`,
        'Content-Length: 0',
        '',
        '',
      ].join('\r\n'),
      asked.source,
    )
    return { invite, ok: await s.phone.next(200) }
  }

  it('moves, ACK and BYE, where the pool lets it, and the Route names the one that stands in', async () => {
    await using s = await scene({ pool: { dialogFailover: true } })
    const { invite, ok } = await callAt(s)
    await s.px1.close()
    s.phone.follow(invite, ok, 'ACK')
    const ack = await s.px2.next('ACK')
    expect(ack.all('Route')).toEqual([`<${s.px2.uri};lr>`])
    s.phone.follow(invite, ok, 'BYE')
    const bye = await s.px2.next('BYE')
    expect(bye.all('Route')).toEqual([`<${s.px2.uri};lr>`])
    s.px2.answer(bye, 200)
    await s.phone.next(200)
  })

  it('stays with it as long as it lives', async () => {
    await using s = await scene({ pool: { dialogFailover: true } })
    const { invite, ok } = await callAt(s)
    s.phone.follow(invite, ok, 'ACK')
    expect((await s.px1.next('ACK')).all('Route')).toEqual([`<${s.px1.uri};lr;ftag=x>`])
    s.phone.follow(invite, ok, 'INVITE')
    s.px1.answer(await s.px1.next('INVITE'), 503)
    await s.phone.next(500)
    expect(s.px2.heard).toEqual([])
  })

  it('does not move elsewhere: the caller hears 503, without being sent away', async () => {
    await using s = await scene()
    const { invite, ok } = await callAt(s)
    await s.px1.close()
    s.phone.follow(invite, ok, 'BYE')
    expect((await s.phone.next(503)).all('Retry-After')).toEqual([])
    expect(s.px2.heard).toEqual([])
  })

  it('goes on at a proxy that has left the list, and gets 481 where nobody ever heard of it', async () => {
    await using s = await scene()
    const { invite, ok } = await callAt(s)
    const proxies = [{ id: 'px2', uri: s.px2.uri }]
    s.lb.reconfigure({ default: { proxies } })
    s.phone.follow(invite, ok, 'INFO')
    s.px1.answer(await s.px1.next('INFO'), 200)
    await s.phone.next(200)
    await using other = await startIngress({ instance: 'lb2', pools: { default: { proxies } } })
    await using phone = await Phone.open(other.place)
    const routes = ok.all('Record-Route').toReversed()
    const elsewhere = routes.map((route) => `Route: ${route.replace(s.lb.hostPort, other.hostPort)}`)
    phone.ask({ ...invite, method: 'BYE', cseq: 2, via: phone.via(), to: ok.one('To'), headers: elsewhere })
    await phone.next(481)
  })
})

it('a pool in trouble does not get every request twice: failover has a budget', async () => {
  await using s = await scene()
  const asked = 140
  for (let i = 0; i < asked; i++) {
    s.phone.ask({ method: 'MESSAGE' })
    s.px1.answer(await s.px1.next('MESSAGE'), 503)
  }
  await waitFor(() => s.phone.count(503) + s.phone.count(500) + s.px2.count('MESSAGE') >= asked, 5000)
  expect(s.px2.count('MESSAGE')).toBeGreaterThanOrEqual(100)
  expect(s.phone.count(500)).toBeGreaterThan(0)
})
