import { startNats, type TestNats } from '@siplb/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startIngress, type IngressUnderTest } from './ingress-under-test.ts'
import { requestBytes } from './messages.ts'
import { Peer, type Heard } from './peer.ts'
import { token } from './phone.ts'
import { StreamPeer } from './stream-peer.ts'

let nats: TestNats
beforeAll(async () => {
  nats = await startNats()
})
afterAll(() => nats[Symbol.asyncDispose]())

/** Two ingresses on one bus; the phone has its connection to the first. */
async function scene(prefix: string) {
  const stack = new AsyncDisposableStack()
  const px = stack.use(await Peer.open('127.0.0.2'))
  const pools = { default: { proxies: [{ id: 'px1', uri: px.uri }] } }
  const lb1 = stack.use(await startIngress({ instance: 'lb1', listen: ['tcp'], nats: nats.url, prefix, pools }))
  const lb2 = stack.use(await startIngress({ instance: 'lb2', address: '127.0.0.3', nats: nats.url, prefix, pools }))
  const phone = stack.use(await StreamPeer.connect(lb1.place))
  // Each has heard where the other is.
  await new Promise((resolve) => setTimeout(resolve, 700))
  return { px, lb1, lb2, phone, [Symbol.asyncDispose]: () => stack.disposeAsync() }
}

const via = (phone: StreamPeer) => `SIP/2.0/TCP ${phone.hostPort};rport;branch=z9hG4bK${token()}`

/** What the proxy sends to this ingress, along routes that name the other. */
function fromProxy(px: Peer, lb: IngressUnderTest, method: string, routes: readonly string[], asked?: Heard): void {
  const dialog =
    asked === undefined
      ? { callId: token() }
      : { from: `${asked.one('To')};tag=callee`, to: asked.one('From'), callId: asked.one('Call-ID') }
  px.send(
    requestBytes({
      method,
      uri: 'sip:alice@phone.invalid;transport=tcp',
      via: `SIP/2.0/UDP ${px.hostPort};branch=z9hG4bK${token()}`,
      headers: routes.map((route) => `Route: ${route}`),
      ...dialog,
    }),
    lb.place,
  )
}

describe('a connection that another instance holds', () => {
  it('is the way of a request of the callee that comes to this one', async () => {
    await using s = await scene('fellow-dialog')
    s.phone.send(requestBytes({ via: via(s.phone), callId: token() }))
    const asked = await s.px.next('INVITE')
    s.px.answer(asked, 200, { headers: [`Contact: <sip:bob@${s.px.hostPort}>`] })
    await s.phone.next(200)
    fromProxy(s.px, s.lb2, 'BYE', asked.all('Record-Route'), asked)
    const bye = await s.phone.next('BYE')
    expect(bye.all('Via')).toHaveLength(3)
    expect(bye.all('Route')).toEqual([])
    s.phone.answer(bye, 200)
    await s.px.next(200)
  })

  it('is the way of a call to a phone that registered there', async () => {
    await using s = await scene('fellow-call')
    s.phone.send(requestBytes({ method: 'REGISTER', uri: 'sip:example.com', via: via(s.phone), callId: token() }))
    const registering = await s.px.next('REGISTER')
    s.px.answer(registering, 200)
    await s.phone.next(200)
    fromProxy(s.px, s.lb2, 'INVITE', registering.all('Path'))
    const asked = await s.phone.next('INVITE')
    // The one that holds the connection stays in the path, the other one does not.
    expect(asked.all('Record-Route')).toHaveLength(2)
    s.phone.answer(asked, 200)
    await s.px.next(200)
  })

  it('that ended is told to who asks by this one', async () => {
    await using s = await scene('fellow-lost')
    s.phone.send(requestBytes({ method: 'REGISTER', uri: 'sip:example.com', via: via(s.phone), callId: token() }))
    const registering = await s.px.next('REGISTER')
    s.px.answer(registering, 200)
    await s.phone.next(200)
    await s.phone.close()
    await new Promise((resolve) => setTimeout(resolve, 300))
    fromProxy(s.px, s.lb2, 'INVITE', registering.all('Path'))
    await s.px.next(430)
  })
})
