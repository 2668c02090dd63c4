import { describe, expect, it } from 'vitest'
import { startIngress } from './ingress-under-test.ts'
import { requestBytes } from './messages.ts'
import { Peer } from './peer.ts'
import { Phone, token } from './phone.ts'
import { overTcp, StreamPeer, StreamProxy } from './stream-peer.ts'

describe('a caller by TCP, a proxy by UDP', () => {
  async function scene() {
    const stack = new AsyncDisposableStack()
    const px = stack.use(await Peer.open())
    const lb = stack.use(
      await startIngress({ listen: ['tcp'], pools: { default: { proxies: [{ id: 'px1', uri: px.uri }] } } }),
    )
    const phone = stack.use(await StreamPeer.connect(lb.place))
    return { px, lb, phone, [Symbol.asyncDispose]: () => stack.disposeAsync() }
  }

  it('is reached by its connection when the callee hangs up, whatever its Contact says', async () => {
    await using s = await scene()
    const parts = overTcp(s.phone, { headers: ['Contact: <sip:alice@nowhere.invalid;transport=tcp>'] })
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
    s.phone.send(requestBytes(overTcp(s.phone)))
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
})

describe('a proxy by TCP', () => {
  async function scene() {
    const stack = new AsyncDisposableStack()
    const px = stack.use(await StreamProxy.open())
    const lb = stack.use(
      await startIngress({ listen: ['tcp'], pools: { default: { proxies: [{ id: 'px1', uri: px.uri }] } } }),
    )
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
})

describe('a registered phone', () => {
  it('is called by a proxy along the Path, by the connection that it holds, and both sides hang up by us', async () => {
    await using stack = new AsyncDisposableStack()
    const px = stack.use(await Peer.open())
    const lb = stack.use(
      await startIngress({ listen: ['tcp'], pools: { default: { proxies: [{ id: 'px1', uri: px.uri }] } } }),
    )
    const phone = stack.use(await StreamPeer.connect(lb.place))
    phone.send(requestBytes(overTcp(phone, { method: 'REGISTER', uri: 'sip:example.com' })))
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
