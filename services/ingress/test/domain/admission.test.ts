import { parseRoutes } from '@siplb/sip'
import { describe, expect, it } from 'vitest'
import { readWay } from '../../src/domain/affinity.ts'
import { admit, type Admission, type Surroundings } from '../../src/domain/admission.ts'
import { tagHash, writeToken, type RouteToken } from '../../src/domain/route-token.ts'
import { createTokenKey } from '../../src/shell/token-keys.ts'
import { request, type RequestParts } from '../messages.ts'

const key = createTokenKey('0123456789abcdef0123456789abcdef')
const token: RouteToken = {
  pool: 'default',
  proxy: 'px1',
  callerTag: tagHash('alice'),
  instance: 'lb1',
  worker: 0,
  flow: '',
}
const written = writeToken(token, 'a84b4c76e66710', key)
const ours = `<sip:${written}@lb.example.com;lr>`

const phone = { address: '192.0.2.1', port: 5070 }
const proxy = { address: '192.0.2.11', port: 5060 }

/** px1 at 192.0.2.11:5060 is the only proxy of the only pool. */
const usual: Surroundings = {
  isDraining: false,
  isOurs: (host, port) => host === 'lb.example.com' && (port ?? 5060) === 5060,
  isLooped: () => false,
  poolOfSource: (address, port) =>
    address === proxy.address && port === proxy.port ? { pool: 'default', outbound: [] } : undefined,
  isProxyAddress: (pool, address) => pool === 'default' && address === proxy.address,
  remembered: () => undefined,
}

function admitted(parts: RequestParts, source = phone, around: Partial<Surroundings> = {}): Admission {
  const asked = request(parts)
  const surroundings = { ...usual, ...around }
  return admit(asked, readWay(asked, parseRoutes(asked) ?? [], surroundings, [key]), source, surroundings)
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
    const poolOfSource = () => ({ pool: 'default', outbound: ['sip:carrier1.example.net', 'sip:carrier2.example.net'] })
    expect(admitted({}, proxy, { poolOfSource })).toEqual({
      kind: 'forward',
      targets: [
        { kind: 'address', uri: 'sip:carrier1.example.net' },
        { kind: 'address', uri: 'sip:carrier2.example.net' },
      ],
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
    expect(admitted(asked, { address: '198.51.100.7', port: 1 })).toEqual({ kind: 'to-proxy', token })
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
