import { readFileSync, readdirSync } from 'node:fs'
import { HeaderId, applyEdits, buildResponse, pushVia, removeTopVia, scan } from '@siplb/sip'
import { describe, expect, it } from 'vitest'

const folder = new URL('../data/', import.meta.url)
const read = (file: string): Buffer => readFileSync(new URL(file, folder))

/** What the RFC wants of a proxy: take it, answer it with this status, or drop it. */
type Verdict = 'take' | 'drop' | number

const verdicts: Readonly<Record<string, Verdict>> = {
  'rfc4475/wsinv.dat': 'take',
  'rfc4475/intmeth.dat': 'take',
  'rfc4475/esc01.dat': 'take',
  'rfc4475/escnull.dat': 'take',
  'rfc4475/esc02.dat': 'take',
  'rfc4475/lwsdisp.dat': 'take',
  'rfc4475/longreq.dat': 'take',
  'rfc4475/dblreq.dat': 'take',
  'rfc4475/semiuri.dat': 'take',
  'rfc4475/transports.dat': 'take',
  'rfc4475/mpart01.dat': 'take',
  'rfc4475/unreason.dat': 'take',
  'rfc4475/noreason.dat': 'take',
  'rfc4475/badinv01.dat': 400,
  'rfc4475/clerr.dat': 400,
  'rfc4475/ncl.dat': 400,
  'rfc4475/scalar02.dat': 400,
  'rfc4475/scalarlg.dat': 'drop',
  'rfc4475/quotbal.dat': 400,
  'rfc4475/ltgtruri.dat': 400,
  'rfc4475/lwsruri.dat': 400,
  'rfc4475/lwsstart.dat': 400,
  'rfc4475/trws.dat': 400,
  'rfc4475/escruri.dat': 400,
  'rfc4475/baddate.dat': 'take',
  // Only a registrar reads Contact, so a proxy may let these two pass.
  'rfc4475/regbadct.dat': 'take',
  'rfc4475/regescrt.dat': 'take',
  'rfc4475/badaspec.dat': 400,
  'rfc4475/baddn.dat': 400,
  'rfc4475/baddn-terminated.dat': 400,
  'rfc4475/badvers.dat': 505,
  'rfc4475/mismatch01.dat': 400,
  // 501 for an endpoint that does not know the method; a proxy knows none it would refuse.
  'rfc4475/mismatch02.dat': 400,
  'rfc4475/bigcode.dat': 'drop',
  // Taken, and matched as RFC 2543 did.
  'rfc4475/badbranch.dat': 'take',
  'rfc4475/insuf.dat': 400,
  'rfc4475/unkscm.dat': 416,
  'rfc4475/novelsc.dat': 416,
  'rfc4475/unksm2.dat': 'take',
  'rfc4475/bext01.dat': 'take',
  'rfc4475/invut.dat': 'take',
  'rfc4475/regaut01.dat': 'take',
  'rfc4475/multi01.dat': 400,
  'rfc4475/mcl01.dat': 400,
  'rfc4475/bcast.dat': 'take',
  'rfc4475/zeromf.dat': 'take',
  'rfc4475/cparam01.dat': 'take',
  'rfc4475/cparam02.dat': 'take',
  'rfc4475/sdp01.dat': 'take',
  'rfc4475/inv2543.dat': 'take',
  'rfc4475/test.dat': 400,
  'rfc5118/ipv6-good.dat': 'take',
  'rfc5118/ipv6-bad.dat': 400,
  'rfc5118/port-ambiguous.dat': 'take',
  'rfc5118/port-unambiguous.dat': 'take',
  'rfc5118/via-received-param-with-delim.dat': 'take',
  'rfc5118/via-received-param-no-delim.dat': 'take',
  'rfc5118/ipv6-in-sdp.dat': 'take',
  'rfc5118/mult-ip-in-header.dat': 'take',
  'rfc5118/mult-ip-in-sdp.dat': 'take',
  'rfc5118/ipv4-mapped-ipv6.dat': 'take',
  'rfc5118/ipv6-bug-abnf-3-colons.dat': 'take',
  'rfc5118/ipv6-correct-abnf-2-colons.dat': 'take',
}

/** Dropped, which the RFC allows, where an answer would be better. Turns red when one of them is answered. */
const knownGaps: Readonly<Record<string, string>> = {
  'rfc4475/badinv01.dat': 'its Via cannot be read, so there is no way back that we trust',
  'rfc4475/insuf.dat': 'From, To and Call-ID are missing; an answer has to copy them',
  'rfc4475/test.dat': 'it has no Via at all',
}

function outcome(file: string): Verdict {
  const message = scan(read(file))
  if (message.kind === 'malformed') return message.answerable ? message.status : 'drop'
  return message.kind === 'keep-alive' ? 'drop' : 'take'
}

describe('torture messages of RFC 4475 and RFC 5118', () => {
  it.each(Object.entries(verdicts).filter(([file]) => !(file in knownGaps)))('%s: %s', (file, verdict) => {
    expect(outcome(file)).toBe(verdict)
  })

  it.each(Object.entries(knownGaps))('%s is still dropped: %s', (file) => {
    expect(outcome(file)).toBe('drop')
    expect(verdicts[file]).not.toBe('drop')
  })

  it('have a verdict each', () => {
    const files = ['rfc4475', 'rfc5118'].flatMap((set) =>
      readdirSync(new URL(set, folder)).map((file) => `${set}/${file}`),
    )
    expect(files.toSorted()).toEqual(Object.keys(verdicts).toSorted())
  })

  it.each(Object.keys(verdicts))('%s comes out unchanged after a Via was pushed and removed', (file) => {
    const message = scan(read(file))
    if (message.kind === 'malformed' || message.kind === 'keep-alive') return
    const pushed = scan(applyEdits(message, [pushVia(message, 'SIP/2.0/UDP lb.example.com;branch=z9hG4bKx')]))
    if (pushed.kind !== 'request' && pushed.kind !== 'response') throw new Error('lost')
    expect(pushed.topVia.branch).toBe('z9hG4bKx')
    expect(applyEdits(pushed, removeTopVia(pushed))).toEqual(message.bytes)
  })

  it.each(Object.keys(verdicts))('%s, where it is answered, gets an answer with its own Via and Call-ID', (file) => {
    const message = scan(read(file))
    if (message.kind !== 'malformed' || message.message === undefined) return
    const answer = buildResponse(message.message, { status: message.status }).toString('latin1')
    expect(answer.startsWith(`SIP/2.0 ${message.status} `)).toBe(true)
    expect(scan(read(file))).toMatchObject({ message: { topVia: { sentBy: sentByOf(answer) } } })
    expect(answer.split('\r\n\r\n')).toHaveLength(2)
  })
})

const sentByOf = (answer: string): string => /Via: +SIP\/[27].0\/... ([^; \r]+)/.exec(answer)?.[1] ?? ''

describe('a short tortuous INVITE', () => {
  const message = scan(read('rfc4475/wsinv.dat'))
  if (message.kind !== 'request') throw new Error('not taken')

  it('is read through folds, strange case and blanks', () => {
    expect(message.topVia.transport).toBe('UDP')
    expect(message.topVia.sentBy).toBe('192.0.2.2')
    expect(message.topVia.branch).toBe('390skdjuw')
    expect(message.topVia.hasMore).toBe(true)
    expect(message.viaCount).toBe(3)
    expect(message.maxForwards).toBe(68)
    expect(message.cseq).toEqual({ number: 9, method: 'INVITE' })
    expect(message.from.tag).toBe('98asjd8')
    expect(message.from.uri).toBe('sip:jdrosen@example.com')
    expect(message.to.tag).toBe('1918181833n')
    expect(message.first(HeaderId.Route)).toBe('<sip:services.example.com;lr;unknownwith=value;unknown-no-value>')
  })
})

describe('values in torture messages', () => {
  it('keep the method as written, percent signs and all', () => {
    const message = scan(read('rfc4475/esc02.dat'))
    expect(message).toMatchObject({ method: 'RE%47IST%45R' })
    if (message.kind !== 'request') throw new Error('not taken')
    // `C%6Fntact` is another header
    expect(message.values(HeaderId.Contact)).toEqual([
      '<sip:alias1@host1.example.com>',
      '<sip:alias3@host3.example.com>',
    ])
  })

  it('end where Content-Length says', () => {
    const message = scan(read('rfc4475/dblreq.dat'))
    if (message.kind !== 'request') throw new Error('not taken')
    expect(message.bytes.includes('INVITE')).toBe(false)
    expect(message.callId).toBe('dblreq.0ha0isndaksdj99sdfafnl3lk233412')
  })

  it('keep a reason in UTF-8', () => {
    expect(scan(read('rfc4475/unreason.dat'))).toMatchObject({
      status: 200,
      reason: expect.stringContaining('но сто девяносто'),
    })
  })

  it('give a received address with and without brackets', () => {
    for (const file of ['rfc5118/via-received-param-with-delim.dat', 'rfc5118/via-received-param-no-delim.dat']) {
      expect(scan(read(file))).toMatchObject({ topVia: { received: '2001:db8::9:255', sentBy: '[2001:db8::9:1]' } })
    }
  })

  it('do not take the last group of an IPv6 address for a port', () => {
    expect(scan(read('rfc5118/port-ambiguous.dat'))).toMatchObject({
      uri: { hostname: '2001:db8::10:5070', port: undefined },
    })
    expect(scan(read('rfc5118/port-unambiguous.dat'))).toMatchObject({ uri: { hostname: '2001:db8::10', port: 5070 } })
  })
})
