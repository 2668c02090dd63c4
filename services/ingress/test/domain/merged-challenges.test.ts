import { HeaderId, type SipResponse } from '@siplb/sip'
import { expect, it } from 'vitest'
import type { Branch, BranchFailure } from '../../src/domain/branch.ts'
import { withAllChallenges } from '../../src/domain/merged-challenges.ts'
import { response } from '../messages.ts'

const branch = (final: SipResponse | BranchFailure): Branch => ({
  ...{ index: 0, target: { kind: 'address', uri: 'sip:px.example.com' }, state: 'ended', cancel: 'no' },
  ...{ isSuperseded: false, final },
})

const www = response(401, { headers: ['WWW-Authenticate: Digest realm="a", nonce="1"'] })
const proxy = response(407, { headers: ['Proxy-Authenticate: Digest realm="b", nonce="2", qop="auth,auth-int"'] })

it('a 401 or 407 carries the challenges of the other branches as they came, and nothing else of them', () => {
  const merged = withAllChallenges(www, [branch(response(486)), branch(proxy), branch('timeout'), branch(www)])
  expect(merged.status).toBe(401)
  expect(merged.values(HeaderId.WwwAuthenticate)).toEqual(www.values(HeaderId.WwwAuthenticate))
  expect(merged.values(HeaderId.ProxyAuthenticate)).toEqual(proxy.values(HeaderId.ProxyAuthenticate))
  expect(merged.lines).toHaveLength(www.lines.length + 1)
})

it('any other response is given back as it is, and so is the only challenge', () => {
  const busy = response(486)
  expect(withAllChallenges(busy, [branch(busy), branch(www)])).toBe(busy)
  expect(withAllChallenges(www, [branch(busy), branch(www)])).toBe(www)
})

it('a challenge that would break a line of ours is left out', () => {
  const broken = response(407, { headers: ['Proxy-Authenticate: Digest\0', 'WWW-Authenticate: Digest realm="c"'] })
  const merged = withAllChallenges(www, [branch(www), branch(broken)])
  expect(merged.values(HeaderId.WwwAuthenticate)).toHaveLength(2)
  expect(merged.values(HeaderId.ProxyAuthenticate)).toEqual([])
})

it('challenges that would not fit any more are left out', () => {
  const many = response(401, { headers: Array.from({ length: 80 }, (_, i) => `WWW-Authenticate: Digest realm="${i}"`) })
  const more = response(401, { headers: Array.from({ length: 80 }, (_, i) => `WWW-Authenticate: Digest realm="${i}"`) })
  expect(withAllChallenges(many, [branch(many), branch(more)])).toBe(many)
})
