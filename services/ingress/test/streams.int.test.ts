import { describe, expect, it } from 'vitest'
import { startIngress } from './ingress-under-test.ts'
import { requestBytes, type RequestParts } from './messages.ts'
import { Peer } from './peer.ts'
import { Phone, token } from './phone.ts'
import { StreamPeer, StreamProxy } from './stream-peer.ts'

function invite(phone: { readonly hostPort: string }, parts: RequestParts = {}): RequestParts {
  return {
    via: `SIP/2.0/TCP ${phone.hostPort};rport;branch=z9hG4bK${token()}`,
    callId: token(),
    headers: [`Contact: <sip:alice@${phone.hostPort};transport=tcp>`],
    ...parts,
  }
}

describe('a caller by TCP, a proxy by UDP', () => {
  async function scene() {
    const stack = new AsyncDisposableStack()
    const px = stack.use(await Peer.open())
    const lb = stack.use(
      await startIngress({ tcp: true, pools: { default: { proxies: [{ id: 'px1', uri: px.uri }] } } }),
    )
    const phone = stack.use(await StreamPeer.connect(lb.place))
    return { px, lb, phone, [Symbol.asyncDispose]: () => stack.disposeAsync() }
  }

  it('is answered on its connection, and the proxy is told by UDP', async () => {
    await using s = await scene()
    s.phone.send(requestBytes(invite(s.phone)))
    const asked = await s.px.next('INVITE')
    expect(asked.one('Via')).toContain(`SIP/2.0/UDP ${s.lb.hostPort};`)
    expect(asked.all('Via')[1]).toContain('SIP/2.0/TCP')
    s.px.answer(asked, 200)
    const ok = await s.phone.next(200)
    expect(ok.all('Via')).toHaveLength(1)
  })

  it('gets two Record-Routes, of which the proxy side’s is the first', async () => {
    await using s = await scene()
    s.phone.send(requestBytes(invite(s.phone)))
    const routes = (await s.px.next('INVITE')).all('Record-Route')
    expect(routes).toHaveLength(2)
    expect(routes[0]).not.toContain('transport')
    expect(routes[1]).toContain(';transport=tcp;lr>')
  })

  it('is sent no copy of a final response: TCP loses none', async () => {
    await using s = await scene()
    s.phone.send(requestBytes(invite(s.phone, { uri: 'sip:x@example.com' })))
    s.px.answer(await s.px.next('INVITE'), 486)
    await s.phone.next(486)
    await new Promise((resolve) => setTimeout(resolve, 1200))
    expect(s.phone.count(486)).toBe(1)
  })

  it('is reached by its connection when the callee hangs up, whatever its Contact says', async () => {
    await using s = await scene()
    const parts = invite(s.phone, { headers: ['Contact: <sip:alice@nowhere.invalid;transport=tcp>'] })
    s.phone.send(requestBytes(parts))
    const asked = await s.px.next('INVITE')
    s.px.answer(asked, 200, { headers: [`Contact: <sip:bob@${s.px.hostPort}>`] })
    const ok = await s.phone.next(200)
    s.px.send(
      requestBytes({
        method: 'BYE',
        uri: 'sip:alice@nowhere.invalid;transport=tcp',
        via: `SIP/2.0/UDP ${s.px.hostPort};branch=z9hG4bK${token()}`,
        headers: asked.all('Record-Route').map((route) => `Route: ${route}`),
        from: ok.one('To'),
        to: ok.one('From'),
        callId: asked.one('Call-ID'),
      }),
      s.lb.place,
    )
    const bye = await s.phone.next('BYE')
    expect(bye.one('Via')).toContain('SIP/2.0/TCP')
    expect(bye.all('Route')).toEqual([])
    s.phone.answer(bye, 200)
    await s.px.next(200)
  })

  it('whose connection is gone leaves 430 to the callee', async () => {
    await using s = await scene()
    s.phone.send(requestBytes(invite(s.phone)))
    const asked = await s.px.next('INVITE')
    s.px.answer(asked, 200, { headers: [`Contact: <sip:bob@${s.px.hostPort}>`] })
    const ok = await s.phone.next(200)
    await s.phone.close()
    await new Promise((resolve) => setTimeout(resolve, 50))
    s.px.send(
      requestBytes({
        method: 'BYE',
        uri: 'sip:alice@nowhere.invalid;transport=tcp',
        via: `SIP/2.0/UDP ${s.px.hostPort};branch=z9hG4bK${token()}`,
        headers: asked.all('Record-Route').map((route) => `Route: ${route}`),
        from: ok.one('To'),
        to: ok.one('From'),
        callId: asked.one('Call-ID'),
      }),
      s.lb.place,
    )
    await s.px.next(430)
  })

  it('gets 400 and the end of its connection for a message whose end cannot be told', async () => {
    await using s = await scene()
    const bytes = requestBytes(invite(s.phone)).toString('latin1').replace('Content-Length: 0', 'Content-Length: many')
    s.phone.send(bytes)
    await s.phone.next(400)
    await expect.poll(() => s.phone.isEnded).toBe(true)
  })
})

describe('a proxy by TCP', () => {
  async function scene(more: { readonly large?: boolean } = {}) {
    const stack = new AsyncDisposableStack()
    const px = stack.use(await StreamProxy.open())
    const uri = more.large === true ? px.uri.replace(';transport=tcp', '') : px.uri
    const lb = stack.use(await startIngress({ tcp: true, pools: { default: { proxies: [{ id: 'px1', uri }] } } }))
    const phone = stack.use(await Phone.open(lb.place))
    return { px, lb, phone, stack, [Symbol.asyncDispose]: () => stack.disposeAsync() }
  }

  it('is asked by one connection for all calls of a UDP caller, and once for each', async () => {
    await using s = await scene()
    const one = s.phone.ask()
    const connection = await s.px.connection()
    const asked = await connection.next('INVITE')
    expect(asked.one('Via')).toContain(`SIP/2.0/TCP ${s.lb.hostPort};`)
    expect(asked.all('Record-Route')[0]).toContain(';transport=tcp;lr>')
    s.phone.ask()
    await connection.next('INVITE')
    await new Promise((resolve) => setTimeout(resolve, 1200))
    expect(connection.count('INVITE')).toBe(2)
    expect(s.px.connections).toHaveLength(1)
    connection.answer(asked, 200)
    expect((await s.phone.next(200)).one('Call-ID')).toBe(one.callId)
  })

  it('that closed its connection is asked by a new one', async () => {
    await using s = await scene()
    s.phone.ask({ method: 'MESSAGE' })
    const first = await s.px.connection()
    first.answer(await first.next('MESSAGE'), 200)
    await s.phone.next(200)
    await first.close()
    await new Promise((resolve) => setTimeout(resolve, 50))
    s.phone.ask({ method: 'MESSAGE' })
    await expect.poll(() => s.px.connections.length).toBe(2)
    await (await s.px.connection()).next('MESSAGE')
  })

  it('may answer by a connection of its own to our sent-by', async () => {
    await using s = await scene()
    s.phone.ask()
    const first = await s.px.connection()
    const asked = await first.next('INVITE')
    first.answer(asked, 180)
    await s.phone.next(180)
    await first.close()
    const second = s.stack.use(await StreamPeer.connect(s.lb.place))
    second.answer(asked, 200)
    await s.phone.next(200)
  })

  it('gets what is too large for a datagram by a connection, though it is reached by UDP', async () => {
    await using s = await scene({ large: true })
    const body = 'x'.repeat(1400)
    s.phone.ask({ body })
    const asked = await (await s.px.connection()).next('INVITE')
    expect(asked.one('Via')).toContain('SIP/2.0/TCP')
    expect(asked.body).toBe(body)
  })
})

it('a request too large for a datagram goes by UDP where the proxy takes no connection', async () => {
  await using stack = new AsyncDisposableStack()
  const px = stack.use(await Peer.open())
  const lb = stack.use(await startIngress({ tcp: true, pools: { default: { proxies: [{ id: 'px1', uri: px.uri }] } } }))
  const phone = stack.use(await Phone.open(lb.place))
  phone.ask({ body: 'x'.repeat(1400) })
  expect((await px.next('INVITE')).one('Via')).toContain('SIP/2.0/UDP')
})

it('a proxy that takes no connection is left for the next one at once', async () => {
  await using stack = new AsyncDisposableStack()
  const px2 = stack.use(await Peer.open())
  const refusing = await StreamProxy.open()
  const { uri } = refusing
  await refusing[Symbol.asyncDispose]()
  const proxies = [
    { id: 'px1', uri, tier: 1 },
    { id: 'px2', uri: px2.uri, tier: 2 },
  ]
  const lb = stack.use(await startIngress({ pools: { default: { proxies } } }))
  const phone = stack.use(await Phone.open(lb.place))
  phone.ask()
  px2.answer(await px2.next('INVITE'), 200)
  await phone.next(200)
})

describe('a registered phone', () => {
  it('is called by a proxy along the Path, by the connection that it holds, and both sides hang up by us', async () => {
    await using stack = new AsyncDisposableStack()
    const px = stack.use(await Peer.open())
    const lb = stack.use(
      await startIngress({ tcp: true, pools: { default: { proxies: [{ id: 'px1', uri: px.uri }] } } }),
    )
    const phone = stack.use(await StreamPeer.connect(lb.place))
    phone.send(requestBytes(invite(phone, { method: 'REGISTER', uri: 'sip:example.com' })))
    const registering = await px.next('REGISTER')
    const [path = ''] = registering.all('Path')
    expect(path).toContain(`@${lb.hostPort};lr>`)
    expect(registering.all('Record-Route')).toEqual([])
    px.answer(registering, 200)
    await phone.next(200)

    const call = {
      uri: 'sip:alice@10.255.255.1:5060;transport=tcp',
      via: `SIP/2.0/UDP ${px.hostPort};branch=z9hG4bK${token()}`,
      headers: [`Route: ${path}`, `Record-Route: <sip:${px.hostPort};lr>`, `Contact: <sip:bob@${px.hostPort}>`],
      from: '<sip:bob@example.com>;tag=bob',
      to: '<sip:alice@example.com>',
      callId: token(),
    }
    px.send(requestBytes(call), lb.place)
    const asked = await phone.next('INVITE')
    expect(asked.requestUri).toBe(call.uri)
    expect(asked.all('Route')).toEqual([])
    const routes = asked.all('Record-Route')
    expect(routes).toHaveLength(3)
    expect(routes[0]).toContain(';transport=tcp;lr>')
    phone.answer(asked, 200, { tag: 'alice', headers: [`Contact: <sip:alice@10.255.255.1:5060;transport=tcp>`] })
    const ok = await px.next(200)

    const ofPhone = {
      method: 'BYE',
      uri: `sip:bob@${px.hostPort}`,
      via: `SIP/2.0/TCP ${phone.hostPort};branch=z9hG4bK${token()}`,
      headers: routes.map((route) => `Route: ${route}`),
      from: '<sip:alice@example.com>;tag=alice',
      to: call.from,
      callId: call.callId,
    }
    phone.send(requestBytes(ofPhone))
    const bye = await px.next('BYE')
    expect(bye.all('Route')).toEqual([`<sip:${px.hostPort};lr>`])

    const ofProxy = {
      method: 'INFO',
      uri: 'sip:alice@10.255.255.1:5060;transport=tcp',
      via: `SIP/2.0/UDP ${px.hostPort};branch=z9hG4bK${token()}`,
      headers: ok
        .all('Record-Route')
        .toReversed()
        .filter((route) => !route.includes(px.hostPort))
        .map((route) => `Route: ${route}`),
      from: call.from,
      to: '<sip:alice@example.com>;tag=alice',
      callId: call.callId,
      cseq: 2,
    }
    px.send(requestBytes(ofProxy), lb.place)
    expect((await phone.next('INFO')).all('Route')).toEqual([])
  })
})
