import { waitFor } from '@siplb/testkit'
import { describe, expect, it } from 'vitest'
import { startIngress, type IngressUnderTest } from './ingress-under-test.ts'
import type { Heard, Peer, Place } from './peer.ts'
import { Phone } from './phone.ts'
import { contactOf, fromCallee, scene, type Call, type Scene } from './scene.ts'

interface TwoInstances extends Scene {
  /** Beside `lb`, with the same secret and no bus between them; its first choice is px2. */
  readonly second: IngressUnderTest
}

async function twoInstances(): Promise<TwoInstances> {
  await using stack = new AsyncDisposableStack()
  // Phones and proxies have addresses of their own, as they do outside of tests.
  const first = stack.use(await scene({ proxyAddress: '127.0.0.2' }))
  const proxies = [
    { id: 'px1', uri: first.px1.uri, tier: 2 },
    { id: 'px2', uri: first.px2.uri, tier: 1 },
  ]
  const second = stack.use(await startIngress({ instance: 'lb2', pools: { default: { proxies } } }))
  const owned = stack.move()
  return { ...first, second, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** A request of the caller's, along the Record-Route that the first instance wrote, but sent to another one. */
function followAt(
  s: TwoInstances,
  lb: Place,
  call: Call,
  method: string,
  cseq: number,
  routes = call.ok.all('Record-Route').toReversed(),
): void {
  new Phone(s.phone.peer, lb).ask({
    method,
    uri: `sip:bob@${s.px1.hostPort}`,
    from: call.invite.from,
    to: call.ok.one('To'),
    callId: call.invite.callId,
    cseq,
    headers: routes.map((route) => `Route: ${route}`),
  })
}

/** A copy of an earlier request may come in between, while the machine is busy. */
function numbered(peer: Peer, cseq: string): Promise<Heard> {
  return waitFor(() => peer.heard.find((one) => one.status === 0 && one.one('CSeq') === cseq), 8000, cseq)
}

async function expectAnswered(s: TwoInstances, asked: Heard, status = 200): Promise<void> {
  s.px1.answer(asked, status, { headers: [contactOf(s.px1)] })
  const isTheOne = (one: Heard) => one.status === status && one.one('CSeq') === asked.one('CSeq')
  const answer = await waitFor(() => s.phone.peer.heard.find(isTheOne), 8000, `${status} of ${asked.one('CSeq')}`)
  expect(answer.all('Via')).toHaveLength(1)
}

describe.concurrent('a dialog that was set up through one of two ingresses', () => {
  it('goes on through the other: re-INVITE, its ACK and BYE of the caller, whose Route still names the first', async () => {
    await using s = await twoInstances()
    const call = await s.call()
    followAt(s, s.second.place, call, 'INVITE', 2)
    const again = await numbered(s.px1, '2 INVITE')
    expect(again.one('Via')).toContain(s.second.hostPort)
    await expectAnswered(s, again)
    followAt(s, s.second.place, call, 'ACK', 2)
    await numbered(s.px1, '2 ACK')
    followAt(s, s.second.place, call, 'BYE', 3)
    await expectAnswered(s, await s.px1.next('BYE'))
    expect(s.px2.heard).toEqual([])
  })

  it('goes on through the other from the called side: re-INVITE, its ACK and BYE reach the caller', async () => {
    await using s = await twoInstances()
    const call = await s.call()
    for (const [cseq, method] of ['INVITE', 'ACK', 'BYE'].entries()) {
      s.px1.send(fromCallee(call, method, s.px1, cseq === 2 ? 2 : 1), s.second.place)
      const asked = await numbered(s.phone.peer, `${cseq === 2 ? 2 : 1} ${method}`)
      expect(asked.source).toEqual(s.second.place)
      if (method === 'ACK') continue
      s.phone.peer.answer(asked, 200, { headers: [`Contact: <sip:alice@${s.phone.peer.hostPort}>`] })
      const isAnswer = (one: Heard) => one.status === 200 && one.one('CSeq').endsWith(method)
      await waitFor(() => s.px1.heard.find(isAnswer), 8000, `200 of ${method}`)
    }
  })

  it('is hung up from either side when the first is gone', async () => {
    for (const side of ['caller', 'callee']) {
      await using s = await twoInstances()
      const call = await s.call()
      await s.lb[Symbol.asyncDispose]()
      if (side === 'caller') {
        followAt(s, s.second.place, call, 'BYE', 2)
        await expectAnswered(s, await s.px1.next('BYE'))
      } else {
        s.px1.send(fromCallee(call, 'BYE', s.px1), s.second.place)
        s.phone.peer.answer(await s.phone.next('BYE'), 200)
        await s.px1.next(200)
      }
    }
  })

  it('goes on in turns through both', async () => {
    await using s = await twoInstances()
    const call = await s.call()
    for (let cseq = 2; cseq < 8; cseq++) {
      followAt(s, cseq % 2 === 0 ? s.second.place : s.lb.place, call, 'INFO', cseq)
      await expectAnswered(s, await numbered(s.px1, `${cseq} INFO`))
    }
    expect(s.px2.heard).toEqual([])
  })
})

describe.concurrent('a CANCEL', () => {
  it('stays with its INVITE: the other ingress knows none and says 481, and the call rings on', async () => {
    await using s = await twoInstances()
    const invite = s.phone.ask()
    const asked = await s.px1.next('INVITE')
    s.px1.answer(asked, 180)
    await s.phone.next(180)
    new Phone(s.phone.peer, s.second.place).cancel(invite)
    await s.phone.next(481)
    expect([...s.px1.heard, ...s.px2.heard].filter(({ startLine }) => startLine.startsWith('CANCEL'))).toEqual([])
    s.phone.cancel(invite)
    await s.phone.next(200)
    const cancel = await s.px1.next('CANCEL')
    expect(cancel.branch).toBe(asked.branch)
    s.px1.answer(asked, 487)
    s.phone.acknowledge(invite, await s.phone.next(487))
  })
})

describe.concurrent('the token of an ingress with another secret', () => {
  it('is refused to either side, and nothing is forwarded', async () => {
    await using s = await twoInstances()
    const call = await s.call()
    const proxies = [{ id: 'px1', uri: s.px1.uri }]
    const secrets = ['a secret that nobody else knows...']
    await using stranger = await startIngress({ instance: 'lb3', pools: { default: { proxies } }, secrets })
    const asItsOwn = (text: string) => text.replaceAll(s.lb.hostPort, stranger.hostPort)
    followAt(s, stranger.place, call, 'BYE', 2, call.ok.all('Record-Route').map(asItsOwn))
    await s.phone.next(403)
    s.px1.send(asItsOwn(fromCallee(call, 'BYE', s.px1)), stranger.place)
    await s.px1.next(403)
    // A Route to somewhere else, and a dialog that it knows nothing of.
    followAt(s, stranger.place, call, 'BYE', 3)
    await s.phone.next(481)
    expect([s.px1.count('BYE'), s.phone.count('BYE')]).toEqual([0, 0])
  })
})
