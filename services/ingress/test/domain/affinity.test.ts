import type { SipRequest } from '@siplb/sip'
import { describe, expect, it } from 'vitest'
import { sideOf, readWay, type Way } from '../../src/domain/affinity.ts'
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
const own = { isOurs: (host: string, port?: number) => host === 'lb.example.com' && (port ?? 5060) === 5060 }

function wayOf(parts: RequestParts): Way {
  const asked: SipRequest = request(parts)
  return readWay(asked, own, new TokenSigner([key]))
}

const inDialog = { to: '<sip:bob@example.com>;tag=bob' }

describe('the way of a request', () => {
  it('is open where it carries no Route', () => {
    expect(wayOf({})).toEqual({
      ...{ ownRoutes: 0, routes: [], isStrict: false, hasOwnMaddr: false },
      ...{ token: undefined, isForged: false },
    })
  })

  it('leads by the token in our Route, and then along the routes below it', () => {
    const way = wayOf({ ...inDialog, headers: [`Route: ${ours}, <sip:px1.example.com;lr>`] })
    expect(way).toMatchObject({ ownRoutes: 1, isStrict: false, token, isForged: false })
    expect(way.routes.map(({ text }) => text)).toEqual(['sip:px1.example.com;lr'])
  })

  it('takes two Routes of ours for one, whichever of them has the token', () => {
    const plain = '<sip:lb.example.com;transport=udp;lr>'
    for (const lines of [[`Route: ${ours}`, `Route: ${plain}`], [`Route: ${plain}, ${ours}`]]) {
      const way = wayOf({ ...inDialog, headers: [...lines, 'Route: <sip:px1.example.com;lr>'] })
      expect(way).toMatchObject({ ownRoutes: 2, token, isForged: false })
      expect(way.routes).toHaveLength(1)
    }
  })

  it('leaves a Route of ours that stands below another one', () => {
    const way = wayOf({ ...inDialog, headers: [`Route: <sip:px1.example.com;lr>, ${ours}`] })
    expect(way).toMatchObject({ ownRoutes: 0, token: undefined })
    expect(way.routes).toHaveLength(2)
  })

  it('knows us by the port too', () => {
    expect(wayOf({ headers: ['Route: <sip:lb.example.com:5099;lr>'] })).toMatchObject({ ownRoutes: 0 })
  })

  it('takes the Route of another instance for ours, since its token verifies', () => {
    const way = wayOf({ headers: [`Route: <sip:${written}@lb2.example.com;lr>, <sip:px1.example.com;lr>`] })
    expect(way).toMatchObject({ ownRoutes: 1, token, isForged: false })
    expect(way.routes).toHaveLength(1)
  })

  it('is forged where the user part of our Route is no token, or one of another call', () => {
    const forged = { ownRoutes: 1, token: undefined, isForged: true }
    expect(wayOf({ headers: ['Route: <sip:bob@lb.example.com;lr>'] })).toMatchObject(forged)
    expect(wayOf({ headers: [`Route: ${ours}`], callId: 'another' })).toMatchObject(forged)
  })

  it('is not forged where our Route says nothing, as an outbound proxy is written', () => {
    expect(wayOf({ headers: ['Route: <sip:lb.example.com;lr>'] })).toMatchObject({ ownRoutes: 1, isForged: false })
  })

  it('reads a token that a strict router moved into the Request-URI', () => {
    const uri = `sip:${written}@lb.example.com;lr`
    const way = wayOf({ ...inDialog, uri, headers: ['Route: <sip:px1.example.com;lr>, <sip:bob@192.0.2.4>'] })
    expect(way).toMatchObject({ ownRoutes: 0, isStrict: true, token, isForged: false })
  })

  it('reads a token in the Request-URI of a user agent that has lost the rest', () => {
    expect(wayOf({ ...inDialog, uri: `sip:${written}@lb.example.com` })).toMatchObject({ isStrict: false, token })
  })

  it('takes somebody at our address for what he is, no token', () => {
    const way = wayOf({ uri: 'sip:bob@lb.example.com', headers: ['Route: <sip:px1.example.com;lr>'] })
    expect(way).toMatchObject({ isStrict: false, token: undefined, isForged: false })
  })

  it('takes a user that is no token, at the address of somebody else, for a further hop', () => {
    const way = wayOf({ headers: ['Route: <sip:bob@other.example.com;lr>'] })
    expect(way).toMatchObject({ ownRoutes: 0, token: undefined, isForged: false })
  })
})

describe('the direction of a request', () => {
  it('is told by whose tag is the caller’s', () => {
    const fromAlice = request(inDialog)
    const fromBob = request({ from: '<sip:bob@example.com>;tag=bob', to: '<sip:alice@example.com>;tag=alice' })
    const ofOthers = request({ from: '<sip:x@example.com>;tag=x', to: '<sip:y@example.com>;tag=y' })
    const untagged = request({ from: '<sip:x@example.com>' })
    expect([fromAlice, fromBob, ofOthers, untagged].map((one) => sideOf(one, token))).toEqual([
      'phone',
      'proxy',
      undefined,
      undefined,
    ])
  })
})
