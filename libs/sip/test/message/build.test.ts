import {
  SipError,
  buildAckForNon2xx,
  buildCancel,
  buildResponse,
  hasStatelessTag,
  reasonPhrase,
  scan,
  statelessTag,
} from '@siplb/sip'
import { describe, expect, it } from 'vitest'
import { answer, asMalformed, asRequest, invite, octets } from '../messages.ts'

const request = asRequest(
  invite({ v: 'SIP/2.0/TCP first.example.com;branch=z9hG4bKfirst', Timestamp: '54', 'Record-Route': '<sip:p;lr>' }),
)
const textOf = (bytes: Buffer): string[] => bytes.toString('latin1').split('\r\n')

const copied = [
  'Via: SIP/2.0/UDP 192.0.2.1:5070;rport;branch=z9hG4bK776asdhds',
  'v: SIP/2.0/TCP first.example.com;branch=z9hG4bKfirst',
]
const from = 'From: "Alice" <sip:alice@example.com>;tag=1928301774'

describe('a response of ours', () => {
  it('copies what RFC 3261 8.2.6 names and gives To a tag', () => {
    expect(textOf(buildResponse(request, { status: 483, toTag: 'us' }))).toEqual([
      'SIP/2.0 483 Too Many Hops',
      ...copied,
      from,
      'To: Bob <sip:bob@example.com>;tag=us',
      'Call-ID: a84b4c76e66710@192.0.2.1',
      'CSeq: 314159 INVITE',
      'Content-Length: 0',
      '',
      '',
    ])
  })

  it('of 100 has the Timestamp and no tag', () => {
    const lines = textOf(buildResponse(request, { status: 100 }))
    expect(lines).toContain('Timestamp: 54')
    expect(lines).toContain('To: Bob <sip:bob@example.com>')
  })

  it('of 180 and 200 has the Record-Route, because it makes a dialog', () => {
    for (const status of [180, 200])
      expect(textOf(buildResponse(request, { status }))).toContain('Record-Route: <sip:p;lr>')
    for (const status of [100, 486])
      expect(textOf(buildResponse(request, { status }))).not.toContain('Record-Route: <sip:p;lr>')
  })

  it('of a request that makes no dialog has no Record-Route', () => {
    const options = { start: 'OPTIONS sip:bob@example.com SIP/2.0', CSeq: '1 OPTIONS', 'Record-Route': '<sip:p;lr>' }
    expect(textOf(buildResponse(asRequest(invite(options)), { status: 200 }))).not.toContain('Record-Route: <sip:p;lr>')
  })

  it('keeps the To tag that is there', () => {
    const inDialog = asRequest(invite({ To: '<sip:bob@example.com>;tag=theirs' }))
    expect(textOf(buildResponse(inDialog, { status: 481, toTag: 'us' }))).toContain(
      'To: <sip:bob@example.com>;tag=theirs',
    )
  })

  it('tells the sender in its Via where the request came from', () => {
    const lines = textOf(buildResponse(request, { status: 100, received: '198.51.100.7', rport: 1024 }))
    expect(lines[1]).toBe('Via: SIP/2.0/UDP 192.0.2.1:5070;rport=1024;branch=z9hG4bK776asdhds;received=198.51.100.7')
    expect(lines[2]).toBe(copied[1])
  })

  it('carries extra headers and a body', () => {
    const body = Buffer.from('full')
    const bytes = buildResponse(request, { status: 503, reason: 'Busy', extraHeaders: [['Retry-After', '5']], body })
    expect(textOf(bytes)).toEqual(
      expect.arrayContaining(['SIP/2.0 503 Busy', 'Retry-After: 5', 'Content-Length: 4', 'full']),
    )
    expect(scan(bytes)).toMatchObject({ kind: 'response', status: 503 })
  })

  it('cannot be made to carry headers by a value', () => {
    expect(() => buildResponse(request, { status: 500, extraHeaders: [['A', 'b\r\nC: d']] })).toThrow(SipError)
    expect(() => buildResponse(request, { status: 500, reason: 'b\r\nC: d' })).toThrow(SipError)
  })

  it('ends its last line where a request was cut off', () => {
    const cut = asMalformed(
      octets(
        'OPTIONS sip:x SIP/2.0',
        'Via: SIP/2.0/UDP h',
        'From: <sip:a@b>',
        'To: <sip:c@d>',
        'Call-ID: i',
        'CSeq: 1 OPTIONS',
      ),
    )
    if (cut.message === undefined) throw new Error('not answerable')
    expect(textOf(buildResponse(cut.message, { status: 400 })).slice(-4)).toEqual([
      'CSeq: 1 OPTIONS',
      'Content-Length: 0',
      '',
      '',
    ])
  })
})

describe('the tag of a stateless answer', () => {
  it('is the same for every copy and for the ACK, another for another request', () => {
    const ack = asRequest(
      invite({ start: 'ACK sip:bob@example.com SIP/2.0', CSeq: '314159 ACK', To: '<sip:bob@example.com>;tag=x' }),
    )
    expect(statelessTag(ack)).toBe(statelessTag(request))
    expect(statelessTag(asRequest(invite({ CSeq: '314160 INVITE' })))).not.toBe(statelessTag(request))
    expect(statelessTag(asRequest(invite({ 'Call-ID': 'other' })))).not.toBe(statelessTag(request))
  })

  it('is known again in an ACK', () => {
    const ackWith = (tag: string) => asRequest(invite({ CSeq: '314159 INVITE', To: `<sip:bob@example.com>${tag}` }))
    expect(hasStatelessTag(ackWith(`;tag=${statelessTag(request)}`))).toBe(true)
    expect(hasStatelessTag(ackWith(`;tag=${statelessTag(request).replace(/.$/, 'x')}`))).toBe(false)
    expect(hasStatelessTag(ackWith(';tag=x'))).toBe(false)
    expect(hasStatelessTag(ackWith(''))).toBe(false)
  })
})

describe('what we send beside an INVITE of ours', () => {
  const sent = asRequest(
    invite({
      Via: 'SIP/2.0/UDP us;branch=z9hG4bKours, SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK776asdhds',
      Route: '<sip:a;lr>, <sip:b;lr>',
    }),
  )

  it('is an ACK with one Via, the same Route, and To of the response (17.1.1.3)', () => {
    expect(textOf(buildAckForNon2xx(sent, answer(486)))).toEqual([
      'ACK sip:bob@example.com SIP/2.0',
      'Via: SIP/2.0/UDP us;branch=z9hG4bKours',
      'Route: <sip:a;lr>, <sip:b;lr>',
      'Max-Forwards: 70',
      from,
      'To: Bob <sip:bob@example.com>;tag=callee',
      'Call-ID: a84b4c76e66710@192.0.2.1',
      'CSeq: 314159 ACK',
      'Content-Length: 0',
      '',
      '',
    ])
  })

  it('is a CANCEL with one Via, the same Route and To, and the reason (9.1)', () => {
    expect(textOf(buildCancel(sent, [['Reason', 'SIP;cause=200']]))).toEqual([
      'CANCEL sip:bob@example.com SIP/2.0',
      'Via: SIP/2.0/UDP us;branch=z9hG4bKours',
      'Route: <sip:a;lr>, <sip:b;lr>',
      'Max-Forwards: 70',
      from,
      'To: Bob <sip:bob@example.com>',
      'Call-ID: a84b4c76e66710@192.0.2.1',
      'CSeq: 314159 CANCEL',
      'Reason: SIP;cause=200',
      'Content-Length: 0',
      '',
      '',
    ])
  })
})

it('unknown status codes have the phrase of their class', () => {
  expect([200, 404, 799, 499].map(reasonPhrase)).toEqual(['OK', 'Not Found', 'Unknown', 'Client Error'])
})
