import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { eventually } from '../eventually.ts'
import { Peer, responseText } from '../peer.ts'
import { scene, type Scene } from '../scene.ts'

describe.concurrent('rule 21: matching: a response', () => {
  it('loses our Via and keeps all others with what stands in them', async () => {
    await using s = await scene()
    const below = 'SIP/2.0/TCP edge.example.com;branch=z9hG4bKedge;received=203.0.113.5'
    s.phone.ask({ method: 'MESSAGE', headers: [`Via: ${below}`] })
    const asked = await s.px1.next('MESSAGE')
    s.px1.answer(asked, 200, { headers: ['X-Odd: kept'], body: 'hello' })
    const ok = await s.phone.next(200)
    expect(ok.all('Via')).toEqual(asked.all('Via').slice(1))
    expect([ok.all('Via')[1], ok.one('X-Odd'), ok.body]).toEqual([below, 'kept', 'hello'])
  })

  it('to nothing that we asked is dropped', async () => {
    await using s = await scene()
    s.phone.ask({ method: 'MESSAGE' })
    const asked = await s.px1.next('MESSAGE')
    const other = responseText(asked, 200).replace(asked.branch, `${asked.branch}x`)
    s.px1.send(other, asked.source)
    s.px1.send(responseText(asked, 200).replaceAll('MESSAGE', 'INFO'), asked.source)
    await sleep(50)
    expect(s.phone.count(200)).toBe(0)
    expect(await s.lb.metric('siplb_sip_dropped_total', { reason: 'unmatched-response' })).toBe(2)
  })

  it('from somebody else than was asked is dropped, though he knows the branch', async () => {
    await using s = await scene()
    await using stranger = await Peer.open('127.0.0.9')
    s.phone.ask({ method: 'MESSAGE' })
    const asked = await s.px1.next('MESSAGE')
    stranger.send(responseText(asked, 603), s.lb.place)
    await sleep(50)
    expect(await s.lb.metric('siplb_sip_dropped_total', { reason: 'foreign-response' })).toBe(1)
    s.px1.answer(asked, 200)
    await s.phone.next(200)
    expect(s.phone.count(603)).toBe(0)
  })

  it('may come by another port of the proxy, to the address in our Via', async () => {
    await using s = await scene()
    await using otherPort = await Peer.open()
    s.phone.ask({ method: 'MESSAGE' })
    otherPort.send(responseText(await s.px1.next('MESSAGE'), 200), s.lb.place)
    await s.phone.next(200)
  })

  it('that has our Via alone is for nobody: the caller hears 502', async () => {
    await using s = await scene()
    s.phone.ask({ method: 'MESSAGE' })
    const asked = await s.px1.next('MESSAGE')
    const [, theirs = ''] = asked.all('Via')
    s.px1.send(responseText(asked, 200).replace(`Via: ${theirs}\r\n`, ''), asked.source)
    await s.phone.next(502)
    expect(await s.lb.metric('siplb_sip_dropped_total', { reason: 'response-for-us' })).toBe(1)
  })
})

describe.concurrent('rule 22: what goes on at once: thus', () => {
  it('go provisional responses and each 2xx, also those that come again', async () => {
    await using s = await scene()
    s.phone.ask()
    const asked = await s.px1.next('INVITE')
    for (const status of [180, 181, 183]) {
      s.px1.answer(asked, status)
      await s.phone.next(status)
    }
    s.px1.answer(asked, 200)
    await s.phone.next(200)
    s.px1.answer(asked, 200)
    await s.phone.next(200)
  })

  it('goes nothing else behind a final response', async () => {
    await using s = await scene()
    s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 200)
    await s.phone.next(200)
    s.px1.answer(asked, 180)
    s.px1.answer(asked, 486)
    await sleep(50)
    expect([s.phone.count(180), s.phone.count(486)]).toEqual([0, 0])
  })

  it('goes a 2xx even behind a refusal, and its ACK finds the callee', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 486, { tag: 'busy' })
    s.phone.acknowledge(invite, await s.phone.next(486))
    await s.px1.next('ACK')
    s.px1.answer(asked, 200, { tag: 'late', headers: [`Contact: <sip:bob@${s.px1.hostPort}>`] })
    s.phone.follow(invite, await s.phone.next(200), 'ACK')
    expect((await s.px1.next('ACK')).toTag).toBe('late')
  })

  it('goes a 2xx though the refusal before it was long over', async () => {
    await using s = await scene()
    const invite = s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 486, { tag: 'busy' })
    s.phone.acknowledge(invite, await s.phone.next(486))
    await s.px1.next('ACK')
    await eventually(() => s.lb.metric('siplb_sip_requests_total', { method: 'ACK' }), 1)
    // Timer I has ended the transaction of the caller, Timer D not yet that of the proxy.
    s.lb.skip(20_000)
    await sleep(60)
    s.px1.answer(asked, 200, { tag: 'late' })
    await s.phone.next(200)
  })

  it('goes each 2xx for 32 s, as long as the callee repeats it, and then no more', async () => {
    await using s = await scene()
    s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 200)
    await s.phone.next(200)
    s.lb.skip(31_000)
    await sleep(60)
    s.px1.answer(asked, 200)
    await s.phone.next(200)
    s.lb.skip(2000)
    await sleep(60)
    s.px1.answer(asked, 200)
    await sleep(60)
    expect(s.phone.count(200)).toBe(2)
  })

  it('goes the first 2xx only where it is no INVITE', async () => {
    await using s = await scene()
    s.phone.ask({ method: 'MESSAGE' })
    const first = await s.px1.next('MESSAGE')
    const second = await s.px2.next('MESSAGE')
    s.px2.answer(second, 200)
    await s.phone.next(200)
    s.px1.answer(first, 200)
    s.px2.answer(second, 200)
    await sleep(60)
    expect(s.phone.count(200)).toBe(1)
  })
})

describe.concurrent('rule 23: best response: of failures', () => {
  it('a 503 of a proxy that rang goes on as 500, for others would be there', async () => {
    await using s = await scene()
    s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 180)
    await s.phone.next(180)
    s.px1.answer(asked, 503, { headers: ['Retry-After: 1000'] })
    const refusal = await s.phone.next(500)
    expect(refusal.all('Retry-After')).toEqual([])
  })

  it('a 503 inside a dialog goes on as 500: its proxy is one of many', async () => {
    await using s = await scene()
    const { invite, ok } = await s.call()
    s.phone.follow(invite, ok, 'INVITE')
    s.px1.answer(await s.px1.next('INVITE'), 503)
    await s.phone.next(500)
    expect(s.px2.heard).toEqual([])
  })

  it.each([302, 401, 404, 408, 480, 486, 500, 504])(
    'a %i goes on as it is, and nobody else is tried',
    async (status) => {
      await using s = await scene()
      s.phone.ask()
      s.px1.answer(await s.px1.next('INVITE'), status, { headers: ['X-Theirs: yes'] })
      expect((await s.phone.next(status)).one('X-Theirs')).toBe('yes')
      expect(s.px2.heard).toEqual([])
    },
  )

  /** Both proxies have the INVITE, and both have spoken. */
  async function atBoth(s: Scene) {
    const invite = s.phone.ask()
    const first = await s.px1.next('INVITE')
    const second = await s.px2.next('INVITE')
    s.px2.answer(second, 100)
    s.px1.answer(first, 100)
    await sleep(50)
    return { invite, first, second }
  }

  it.each([
    { one: 404, other: 500, best: 404 },
    { one: 404, other: 302, best: 302 },
    { one: 480, other: 407, best: 407 },
    { one: 480, other: 484, best: 484 },
    { one: 604, other: 302, best: 604 },
    { one: 482, other: 500, best: 500 },
  ])('$best goes on of $one and $other', async ({ one, other, best }) => {
    await using s = await scene()
    const { first, second } = await atBoth(s)
    s.px1.answer(first, one)
    await sleep(30)
    s.px2.answer(second, other)
    await s.phone.next(best)
    expect(s.phone.count(best === one ? other : one)).toBe(0)
  })

  it('401 and 407 of several branches go on as one, with all their challenges', async () => {
    await using s = await scene()
    const { first, second } = await atBoth(s)
    const [www, digest] = ['Digest realm="a", nonce="1", qop="auth,auth-int"', 'Digest realm="b", nonce="2"']
    s.px2.answer(second, 401, { headers: [`WWW-Authenticate: ${www}`] })
    await s.px2.next('ACK')
    s.px1.answer(first, 407, { headers: [`Proxy-Authenticate: ${digest}`, 'X-Theirs: yes'] })
    const challenge = await s.phone.next(407)
    expect(challenge.all('WWW-Authenticate')).toEqual([www])
    expect(challenge.all('Proxy-Authenticate')).toEqual([digest])
    expect([challenge.one('X-Theirs'), challenge.all('Content-Length')]).toEqual(['yes', ['0']])
  })
})

describe.concurrent('rule 24: 6xx and 3xx: a', () => {
  it('6xx ends the search: who still looks is cancelled', async () => {
    await using s = await scene()
    s.phone.ask()
    const first = await s.px1.next('INVITE')
    const second = await s.px2.next('INVITE')
    s.px2.answer(second, 100)
    await sleep(50)
    s.px1.answer(first, 603)
    s.px2.answer(await s.px2.next('CANCEL'), 200)
    s.px2.answer(second, 487)
    await s.phone.next(603)
    expect(s.phone.count(487)).toBe(0)
  })

  it('6xx ends the search: nobody else is tried', async () => {
    await using s = await scene()
    s.phone.ask()
    s.px1.answer(await s.px1.next('INVITE'), 603)
    await s.phone.next(603)
    await sleep(700)
    expect(s.px2.heard).toEqual([])
  })

  it('3xx goes to the caller with its Contact, which we do not follow', async () => {
    await using s = await scene()
    await using elsewhere = await Peer.open()
    s.phone.ask()
    const contact = `<${elsewhere.uri}>;q=0.7`
    s.px1.answer(await s.px1.next('INVITE'), 302, { headers: [`Contact: ${contact}`] })
    expect((await s.phone.next(302)).one('Contact')).toBe(contact)
    await sleep(700)
    expect([...elsewhere.heard, ...s.px2.heard]).toEqual([])
  })
})

it('rule 25: forked responses: forks behind a proxy keep their To tags, and each 2xx is a dialog', async () => {
  await using s = await scene()
  s.phone.ask()
  const asked = await s.px1.next('INVITE')
  s.px1.answer(asked, 180, { tag: 'desk' })
  s.px1.answer(asked, 180, { tag: 'mobile' })
  const ringing = [(await s.phone.next(180)).toTag, (await s.phone.next(180)).toTag]
  expect(new Set(ringing)).toEqual(new Set(['desk', 'mobile']))
  s.px1.answer(asked, 200, { tag: 'desk' })
  s.px1.answer(asked, 200, { tag: 'mobile' })
  s.px1.answer(asked, 200, { tag: 'mobile' })
  for (let i = 0; i < 3; i++) await s.phone.next(200)
  await eventually(() => s.lb.metric('siplb_dialogs'), 2)
})
