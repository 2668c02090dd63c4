import { describe, expect, it } from 'vitest'
import { readWay } from '../../src/domain/affinity.ts'
import { admit, type Admission, type Surroundings } from '../../src/domain/admission.ts'
import type { Endpoint } from '@siplb/sip'
import { TokenSigner } from '../../src/domain/token-signer.ts'
import { tagHash, writeToken, type RouteToken } from '../../src/domain/route-token.ts'
import { createTokenKey } from '../../src/shell/token-keys.ts'
import { request, type RequestParts } from '../messages.ts'

const key = createTokenKey('0123456789abcdef0123456789abcdef')
const token: RouteToken = {
  kind: 'inbound',
  pool: 'default',
  proxy: 'px1',
  callerTag: tagHash('alice'),
  instance: 'lb1',
  worker: 0,
  flow: '',
}
const written = writeToken(token, 'a84b4c76e66710', key)
const ours = `<sip:${written}@lb.example.com;lr>`

const phone: Endpoint = { transport: 'udp', address: '192.0.2.1', port: 5070 }
const proxy: Endpoint = { transport: 'udp', address: '192.0.2.11', port: 5060 }

/** px1 at 192.0.2.11:5060 is the only proxy of the only pool. */
const usual: Surroundings = {
  isDraining: false,
  isOurs: (host, port) => host === 'lb.example.com' && (port ?? 5060) === 5060,
  isLooped: () => false,
  originOf: (_, { address, port }) =>
    address === proxy.address && port === proxy.port ? { pool: 'default', proxy: 'px1', outbound: [] } : undefined,
  isProxyAddress: (pool, address) => pool === 'default' && address === proxy.address,
  remembered: () => undefined,
  proxyAt: (pool, address) => (pool === 'default' && address === '192.0.2.12' ? 'px2' : undefined),
  isSelf: (instance) => instance === 'lb1',
  fellowUri: (instance) => (instance === 'lb2' ? 'sip:192.0.2.22' : undefined),
  isFellow: (address) => address === '192.0.2.22',
  isHandedOver: () => false,
}

function admitted(parts: RequestParts, source = phone, around: Partial<Surroundings> = {}): Admission {
  const asked = request(parts)
  const surroundings = { ...usual, ...around }
  return admit(asked, readWay(asked, surroundings, new TokenSigner([key])), source, surroundings)
}

const fromCaller = { to: '<sip:bob@example.com>;tag=bob' }
const fromCallee = { from: '<sip:bob@example.com>;tag=bob', to: '<sip:alice@example.com>;tag=alice' }
const status = (code: number) => ({ kind: 'answer', status: code })

describe('a new request', () => {
  it('gets a choice', () => {
    expect(admitted({})).toEqual({ kind: 'choose' })
  })

  it('gets a choice though its outbound proxy, we, stands in a Route', () => {
    expect(admitted({ headers: ['Route: <sip:lb.example.com;lr>'] })).toEqual({ kind: 'choose' })
  })

  it('gets a choice whatever its method and headers are', () => {
    expect(admitted({ method: 'NEWTHING', headers: ['X-Odd: ;;,,"<'] })).toEqual({ kind: 'choose' })
  })

  it('is refused when its Route leads elsewhere: we are no open relay', () => {
    expect(admitted({ headers: ['Route: <sip:victim.example.net;lr>'] })).toEqual(status(403))
    expect(admitted({ headers: [`Route: <sip:lb.example.com;lr>, <sip:victim.example.net>`] })).toEqual(status(403))
  })

  it('is refused when it carries a token that we did not sign for this call', () => {
    expect(admitted({ callId: 'other', headers: [`Route: ${ours}`] })).toEqual(status(403))
  })

  it('is refused while we drain, if it is a call; what is short is still taken', () => {
    expect(admitted({}, phone, { isDraining: true })).toEqual(status(503))
    expect(admitted({ method: 'MESSAGE' }, phone, { isDraining: true })).toEqual({ kind: 'choose' })
  })
})

describe('a new request from a proxy', () => {
  it('is never balanced', () => {
    expect(admitted({}, proxy)).toEqual(status(403))
  })

  it('goes to the targets that the pool has for it', () => {
    const originOf = () => ({
      pool: 'default',
      proxy: 'px1',
      outbound: ['sip:carrier1.example.net', 'sip:carrier2.example.net'],
    })
    expect(admitted({}, proxy, { originOf })).toEqual({
      kind: 'forward',
      targets: [
        { kind: 'address', uri: 'sip:carrier1.example.net' },
        { kind: 'address', uri: 'sip:carrier2.example.net' },
      ],
      from: { pool: 'default', proxy: 'px1' },
    })
  })

  it('is balanced when only the address is that of a proxy, and the port another program’s', () => {
    expect(admitted({}, { ...proxy, port: 5999 })).toEqual({ kind: 'choose' })
  })
})

describe('validation', () => {
  it('answers 483 when no hop is left', () => {
    expect(admitted({ maxForwards: '0' })).toEqual(status(483))
    expect(admitted({ ...fromCaller, method: 'BYE', maxForwards: '0', headers: [`Route: ${ours}`] })).toEqual(
      status(483),
    )
  })

  it('takes an OPTIONS without a hop left for a question to us', () => {
    expect(admitted({ method: 'OPTIONS', maxForwards: '0' })).toEqual({ kind: 'health' })
  })

  it('names the extensions that a proxy is asked for and we do not have', () => {
    expect(admitted({ headers: ['Proxy-Require: foo, bar'] })).toEqual({
      ...status(420),
      headers: [['Unsupported', 'foo, bar']],
    })
  })

  it('does not look at Require: that is for the callee', () => {
    expect(admitted({ headers: ['Require: 100rel'] })).toEqual({ kind: 'choose' })
  })

  it('refuses a Proxy-Require that is no list of option tags: it could not be named in an answer', () => {
    expect(admitted({ headers: ['Proxy-Require: foo, b\0ar'] })).toEqual(status(400))
    expect(admitted({ headers: ['Proxy-Require: "foo"'] })).toEqual(status(400))
  })

  it('looks at Max-Forwards before Proxy-Require, and at both before the dialog', () => {
    expect(admitted({ maxForwards: '0', headers: ['Proxy-Require: foo'] })).toEqual(status(483))
    expect(admitted({ ...fromCaller, headers: ['Proxy-Require: foo'] })).toMatchObject(status(420))
  })

  it('answers 482 to what we sent ourselves, before it asks for extensions', () => {
    expect(admitted({ headers: ['Proxy-Require: foo'] }, phone, { isLooped: () => true })).toEqual(status(482))
  })
})

describe('OPTIONS', () => {
  it('to us is answered here', () => {
    expect(admitted({ method: 'OPTIONS', uri: 'sip:lb.example.com' })).toEqual({ kind: 'health' })
    expect(
      admitted({ method: 'OPTIONS', uri: 'sip:lb.example.com', headers: ['Route: <sip:lb.example.com;lr>'] }),
    ).toEqual({ kind: 'health' })
  })

  it('to a user, or to somebody else, is routed', () => {
    expect(admitted({ method: 'OPTIONS', uri: 'sip:bob@lb.example.com' })).toEqual({ kind: 'choose' })
    expect(admitted({ method: 'OPTIONS', uri: 'sip:example.com' })).toEqual({ kind: 'choose' })
    expect(admitted({ method: 'OPTIONS', uri: 'sip:lb.example.com:5080' })).toEqual({ kind: 'choose' })
  })
})

describe('a request of a dialog', () => {
  it('goes from the caller to the proxy of the token, from wherever he sends it', () => {
    const asked = { ...fromCaller, method: 'BYE', headers: [`Route: ${ours}`] }
    expect(admitted(asked)).toEqual({ kind: 'to-proxy', token })
    expect(admitted(asked, { ...phone, address: '198.51.100.7', port: 1 })).toEqual({ kind: 'to-proxy', token })
  })

  it('goes on while we drain', () => {
    const asked = { ...fromCaller, headers: [`Route: ${ours}`] }
    expect(admitted(asked, phone, { isDraining: true })).toEqual({ kind: 'to-proxy', token })
  })

  it('goes from the callee to the next Route, else to the Request-URI', () => {
    const asked = { ...fromCallee, method: 'BYE', uri: 'sip:alice@192.0.2.1:5070' }
    expect(admitted({ ...asked, headers: [`Route: ${ours}`] }, proxy)).toEqual({
      kind: 'forward',
      targets: [{ kind: 'address', uri: 'sip:alice@192.0.2.1:5070' }],
    })
    expect(admitted({ ...asked, headers: [`Route: ${ours}, <sip:edge.example.org;lr>`] }, proxy)).toEqual({
      kind: 'forward',
      targets: [{ kind: 'address', uri: 'sip:edge.example.org;lr' }],
    })
  })

  it('is refused from the callee’s side unless a proxy of the pool sends it, from any port', () => {
    const asked = { ...fromCallee, method: 'BYE', uri: 'sip:victim@203.0.113.9', headers: [`Route: ${ours}`] }
    expect(admitted(asked, phone)).toEqual(status(403))
    expect(admitted(asked, { ...proxy, port: 40_000 })).toMatchObject({ kind: 'forward' })
  })

  it('does not go in circles when the callee sends it to us', () => {
    const asked = { ...fromCallee, method: 'BYE', uri: 'sip:alice@lb.example.com', headers: [`Route: ${ours}`] }
    expect(admitted(asked, proxy)).toEqual(status(482))
  })

  it('gets 481 when its tags are not those of the token', () => {
    const asked = { from: '<sip:x@example.com>;tag=x', to: '<sip:y@example.com>;tag=y', headers: [`Route: ${ours}`] }
    expect(admitted(asked)).toEqual(status(481))
  })

  it('with a token that we did not sign for this call is refused', () => {
    expect(admitted({ ...fromCaller, callId: 'other', headers: [`Route: ${ours}`] })).toEqual(status(403))
  })

  it('without a token goes by what we remember of the dialog, else it gets 481: never to any proxy by chance', () => {
    expect(admitted(fromCaller, phone, { remembered: () => token })).toEqual({ kind: 'to-proxy', token })
    expect(admitted(fromCaller)).toEqual(status(481))
    expect(admitted({ ...fromCaller, headers: ['Route: <sip:px1.example.com;lr>'] })).toEqual(status(481))
  })

  it('that makes a token out of a new request is refused', () => {
    const asked = { from: '<sip:x@example.com>;tag=x', headers: [`Route: ${ours}`] }
    expect(admitted(asked)).toEqual(status(403))
  })
})

describe('the flow of a phone', () => {
  const flowing = (more: Partial<RouteToken>) => {
    const text = writeToken({ ...token, flow: 'tcp:192.0.2.1:40000', ...more }, 'a84b4c76e66710', key)
    return [`Route: <sip:${text}@lb.example.com;transport=tcp;lr>`]
  }
  const endpoint: Endpoint = { transport: 'tcp', address: '192.0.2.1', port: 40_000 }
  const bye = { ...fromCallee, method: 'BYE', uri: 'sip:alice@unreachable.invalid' }
  const toFlow = { kind: 'forward', targets: [{ kind: 'flow', uri: bye.uri, endpoint }] }

  it('is the way of a request of the callee', () => {
    expect(admitted({ ...bye, headers: flowing({}) }, proxy)).toEqual(toFlow)
  })

  it('comes behind a Route of somebody before us', () => {
    const headers = [...flowing({}), 'Route: <sip:edge.example.org;lr>']
    expect(admitted({ ...bye, headers }, proxy)).toMatchObject({ targets: [{ kind: 'address' }] })
  })

  it('leads by the instance that holds it; where that is not known, 430 says that it is lost', () => {
    expect(admitted({ ...bye, headers: flowing({ instance: 'lb2' }) }, proxy)).toEqual({
      kind: 'forward',
      targets: [{ kind: 'fellow', uri: 'sip:192.0.2.22' }],
    })
    expect(admitted({ ...bye, headers: flowing({ instance: 'lb3' }) }, proxy)).toEqual(status(430))
  })

  it('is handed over once: instances that take each other for its holder do not pass it to and fro', () => {
    const headers = flowing({ instance: 'lb2' })
    expect(admitted({ ...bye, headers }, proxy, { isHandedOver: () => true })).toEqual(status(430))
  })

  it('is opened to another instance of ours, and to no stranger', () => {
    const headers = flowing({})
    expect(admitted({ ...bye, headers }, { ...phone, address: '192.0.2.22' })).toEqual(toFlow)
    expect(admitted({ ...bye, headers }, phone)).toEqual(status(403))
  })

  describe('in the Path of its REGISTER', () => {
    const registered = (more: Partial<RouteToken> = {}) => {
      const text = writeToken({ ...token, kind: 'registration', callerTag: 0, ...more }, '', key)
      return [`Route: <sip:${text}@lb.example.com;lr>`]
    }
    const call = { uri: 'sip:alice@10.0.0.7:5060' }

    it('is the way of a call from a proxy, which is not balanced', () => {
      expect(admitted({ ...call, headers: registered({ flow: 'tcp:192.0.2.1:40000' }) }, proxy)).toEqual({
        kind: 'forward',
        targets: [{ kind: 'flow', uri: call.uri, endpoint }],
        from: { pool: 'default', proxy: 'px1' },
      })
    })

    it('opens no way to a stranger', () => {
      expect(admitted({ ...call, headers: registered({ flow: 'tcp:192.0.2.1:40000' }) })).toEqual(status(403))
    })

    it('is served for a datagram phone by any instance, when its own is not known', () => {
      const headers = registered({ flow: 'udp:192.0.2.1:5070', instance: 'lb3' })
      expect(admitted({ ...call, headers }, proxy)).toMatchObject({
        targets: [{ kind: 'flow', endpoint: { transport: 'udp', address: '192.0.2.1', port: 5070 } }],
      })
    })
  })

  describe('in a dialog that a proxy began', () => {
    const outbound = (flow: string) => {
      const text = writeToken({ ...token, kind: 'outbound', callerTag: tagHash('px'), flow }, 'a84b4c76e66710', key)
      return [`Route: <sip:${text}@lb.example.com;lr>`]
    }
    const ofProxy = { from: '<sip:bob@example.com>;tag=px', to: '<sip:alice@example.com>;tag=alice' }
    const ofPhone = { from: ofProxy.to, to: ofProxy.from }

    it('is the way of its requests, from a proxy alone', () => {
      const asked = { ...ofProxy, method: 'BYE', uri: bye.uri, headers: outbound('tcp:192.0.2.1:40000') }
      expect(admitted(asked, proxy)).toEqual(toFlow)
      expect(admitted(asked)).toEqual(status(403))
    })

    it('leads the phone to the proxy', () => {
      const asked = { ...ofPhone, method: 'BYE', headers: outbound('') }
      expect(admitted(asked)).toMatchObject({ kind: 'to-proxy', token: { kind: 'outbound', proxy: 'px1' } })
    })

    it('leads the phone to the proxy that its route names, if that is one of the pool', () => {
      const routed = (next: string) => ({
        ...ofPhone,
        method: 'BYE',
        headers: [...outbound(''), `Route: <sip:${next};lr>`],
      })
      expect(admitted(routed('192.0.2.12'))).toMatchObject({ kind: 'to-proxy', token: { proxy: 'px2' } })
      expect(admitted(routed('203.0.113.9'))).toMatchObject({ kind: 'to-proxy', token: { proxy: 'px1' } })
    })
  })
})
