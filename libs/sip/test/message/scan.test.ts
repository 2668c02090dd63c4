import { HeaderId, defaultLimits, scan } from '@siplb/sip'
import { describe, expect, it } from 'vitest'
import { answer, asMalformed, asRequest, invite, inviteLines, octets } from '../messages.ts'

describe('a request', () => {
  const request = asRequest(invite())

  it('has its facts at hand', () => {
    expect(request.method).toBe('INVITE')
    expect(request.requestUri).toBe('sip:bob@example.com')
    expect(request.uri).toMatchObject({ scheme: 'sip', user: 'bob', host: 'example.com' })
    expect(request.maxForwards).toBe(70)
    expect(request.callId).toBe('a84b4c76e66710@192.0.2.1')
    expect(request.cseq).toEqual({ number: 314159, method: 'INVITE' })
    expect(request.from).toMatchObject({ uri: 'sip:alice@example.com', tag: '1928301774' })
    expect(request.to).toMatchObject({ uri: 'sip:bob@example.com', tag: undefined })
    expect(request.topVia).toMatchObject({ transport: 'UDP', host: '192.0.2.1', port: 5070, rport: '', hasMore: false })
    expect(request.viaCount).toBe(1)
    expect(request.bytes.subarray(request.bodyStart).toString()).toBe('v=0\n')
  })

  it('has lines that put together are the message', () => {
    const text = request.lines.map((line) => request.bytes.subarray(line.start, line.end).toString('latin1')).join('')
    expect(text).toBe(request.bytes.subarray(request.lines[0]?.start, request.headersEnd).toString('latin1'))
  })

  it('without Content-Length ends with the datagram', () => {
    const open = asRequest(invite({ 'Content-Length': '' }))
    expect(open.bytes.subarray(open.bodyStart).toString()).toBe('v=0\n')
  })

  it('keeps binary bodies byte for byte', () => {
    const body = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
    const bytes = Buffer.concat([invite({ 'Content-Length': '256' }).subarray(0, -4), body])
    const binary = asRequest(bytes)
    expect(binary.bytes.subarray(binary.bodyStart)).toEqual(body)
  })

  it('may carry a tel or an emergency URI', () => {
    expect(asRequest(invite({ start: 'INVITE tel:+15550100;phone-context=x SIP/2.0' })).uri.scheme).toBe('tel')
    expect(asRequest(invite({ start: 'INVITE urn:service:sos SIP/2.0' })).uri).toMatchObject({ user: 'service:sos' })
  })

  it('knows compact forms in any case', () => {
    const lines = ['OPTIONS sip:x SIP/2.0', 'V: SIP/2.0/UDP h;branch=z9hG4bK1', 'f: <sip:a@b>;tag=1', 'T: <sip:c@d>']
    const compact = asRequest(octets(...lines, 'I: id', 'CSEQ: 1 OPTIONS', 'l: 0', 'k: path, 100rel', '', ''))
    expect(compact.values(HeaderId.Supported)).toEqual(['path', '100rel'])
    expect(compact.callId).toBe('id')
  })
})

describe('values', () => {
  it('part at commas outside quotes and brackets, over all lines, folds undone', () => {
    const lines = [
      'OPTIONS sip:x SIP/2.0',
      'Via: SIP/2.0/UDP h;branch=z9hG4bK1',
      'From: <sip:a@b>;tag=1',
      'To: <sip:c@d>',
    ]
    const contacts = ['Contact: "a, \\"b" <sip:x,y@z>;q=1 ,', ' <sip:second@z>', 'm: <sip:third@z>;a="1,', '  2"']
    const request = asRequest(octets(...lines, ...contacts, 'Call-ID: i', 'CSeq: 1 OPTIONS', '', ''))
    expect(request.values(HeaderId.Contact)).toEqual([
      '"a, \\"b" <sip:x,y@z>;q=1',
      '<sip:second@z>',
      '<sip:third@z>;a="1, 2"',
    ])
  })

  it('have one space for a fold, whatever stood around it', () => {
    expect(asRequest(invite({ Contact: '"a \t\r\n\t b" <sip:x>' })).values(HeaderId.Contact)).toEqual(['"a b" <sip:x>'])
  })

  it('keep every octet in front of a fold, also one that another alphabet takes for a blank', () => {
    const request = asRequest(invite({ Supported: 'voil\xc3\xa0 \r\n 100rel' }))
    expect(request.first(HeaderId.Supported)).toBe('voil\xc3\xa0 100rel')
  })

  it('of challenges keep their commas', () => {
    const challenge = 'Digest realm="r", nonce="n"'
    expect(asRequest(invite({ 'Proxy-Authorization': challenge })).values(HeaderId.ProxyAuthorization)).toEqual([
      challenge,
    ])
  })

  it('of absent headers are none', () => {
    expect(asRequest(invite()).values(HeaderId.Route)).toEqual([])
    expect(asRequest(invite()).first(HeaderId.Route)).toBeUndefined()
  })
})

describe('a response', () => {
  it('has status and reason', () => {
    expect(answer(486)).toMatchObject({ kind: 'response', status: 486, reason: 'Whatever', to: { tag: 'callee' } })
  })

  it.each(['SIP/2.0 700 No', 'SIP/2.0 099 No', 'SIP/2.0 20 OK', 'SIP/2.0 2000 OK', 'SIP/2.0 abc OK', 'SIP/2.0 '])(
    'cannot start with %j',
    (line) => {
      const bytes = octets(line, ...inviteLines.slice(1, 8), '', '')
      expect(asMalformed(bytes)).toMatchObject({ isRequest: false, answerable: false, problem: 'status-code' })
    },
  )

  it('is dropped when something is wrong with it', () => {
    const bad = octets(
      'SIP/2.0 200 OK',
      'Via: SIP/2.0/UDP',
      'From: <sip:a@b>',
      'To: <sip:c@d>',
      'Call-ID: i',
      'CSeq: 1 X',
      '',
      '',
    )
    expect(asMalformed(bad)).toMatchObject({ isRequest: false, answerable: false, problem: 'via' })
  })
})

describe('datagrams that keep a NAT open', () => {
  it.each(['', '\r\n', '\r\n\r\n', '\0', '  '])('mean nothing: %j', (text) => {
    expect(scan(Buffer.from(text))).toEqual({ kind: 'keep-alive' })
  })
})

const digits300 = '9'.repeat(300)

describe('input that felled others', () => {
  it.each<[string, Record<string, string>, string]>([
    ['a Content-Length that wraps', { 'Content-Length': '4294967300' }, 'content-length'],
    ['a Content-Length beyond all numbers', { 'Content-Length': digits300 }, 'content-length'],
    ['a negative Content-Length', { 'Content-Length': '-1' }, 'content-length'],
    ['a Content-Length with a sign', { 'Content-Length': '+4' }, 'content-length'],
    ['a Content-Length in hex', { 'Content-Length': '0x4' }, 'content-length'],
    ['an empty Content-Length', { 'Content-Length': ' ' }, 'content-length'],
    ['a Content-Length list', { 'Content-Length': '4, 4' }, 'content-length'],
    ['a Content-Length larger than the datagram', { 'Content-Length': '5' }, 'content-length'],
    ['Content-Length in long and short form', { l: '4' }, 'repeated-header'],
    ['two From', { f: '<sip:eve@example.com>;tag=2' }, 'repeated-header'],
    ['two Call-ID', { i: 'other' }, 'repeated-header'],
    ['two To', { t: '<sip:eve@example.com>' }, 'repeated-header'],
    ['CSeq beyond 2^31', { CSeq: '2147483648 INVITE' }, 'cseq'],
    ['CSeq without method', { CSeq: '1' }, 'cseq'],
    ['CSeq of another method', { CSeq: '1 BYE' }, 'cseq-method'],
    ['Via without host', { Via: 'SIP/2.0/UDP ;branch=z9hG4bK1' }, 'via'],
    ['Via with a port of 300 digits', { Via: `SIP/2.0/UDP h:${digits300};branch=z9hG4bK1` }, 'via'],
    ['Via with port 0', { Via: 'SIP/2.0/UDP h:0;branch=z9hG4bK1' }, 'via'],
    ['Via with two branches', { Via: 'SIP/2.0/UDP h;branch=z9hG4bK1;branch=z9hG4bK2' }, 'via'],
    ['Via that ends in a comma', { Via: 'SIP/2.0/UDP h;branch=z9hG4bK1,' }, 'via'],
    ['Via with an IPv6 address that never closes', { Via: 'SIP/2.0/UDP [::1;branch=z9hG4bK1' }, 'via'],
    ['two From tags', { From: '<sip:a@b>;tag=1;tag=2' }, 'from'],
    ['From without scheme', { From: 'alice@example.com;tag=1' }, 'from'],
    ['two values in To', { To: '<sip:a@b>, <sip:c@d>' }, 'to'],
    ['a Call-ID of two words', { 'Call-ID': 'one two' }, 'call-id'],
    ['NUL in the Call-ID', { 'Call-ID': 'one\0two' }, 'call-id'],
    ['Max-Forwards that is no number', { 'Max-Forwards': 'many' }, 'max-forwards'],
    ['Max-Forwards of 256', { 'Max-Forwards': '256' }, 'max-forwards'],
    ['a Route that is none', { Route: '<sip:a;lr>, sip:b' }, 'route'],
    ['a Request-URI with port 99999', { start: 'INVITE sip:a@b:99999 SIP/2.0' }, 'request-uri'],
    ['a Request-URI with two hosts', { start: 'INVITE sip:a@b@c SIP/2.0' }, 'request-uri'],
    ['a Request-URI that brings headers', { start: 'INVITE sip:a@b?Route=%3Csip:c%3E SIP/2.0' }, 'request-uri'],
    ['an unknown scheme', { start: 'INVITE foo:bar SIP/2.0' }, 'scheme'],
    ['another version', { start: 'INVITE sip:a@b SIP/3.0' }, 'version'],
    ['another protocol', { start: 'GET / HTTP/1.1' }, 'start-line'],
    ['a tab in the start line', { start: 'INVITE\tsip:a@b SIP/2.0' }, 'start-line'],
    ['a long Request-URI', { start: `INVITE sip:${'a'.repeat(5000)}@b SIP/2.0` }, 'start-line-size'],
    ['a header line of 4 KB', { Subject: 'x'.repeat(4097) }, 'header-size'],
    ['a long run of spaces', { Subject: `a${' '.repeat(17)}b` }, 'whitespace-run'],
    ['a long run of spaces in front', { Subject: `${' '.repeat(16)}b` }, 'whitespace-run'],
    ['a long run of spaces at the end', { Subject: `a${' '.repeat(17)}` }, 'whitespace-run'],
    ['a run of folds', { Subject: `a${'\r\n '.repeat(6)}b` }, 'whitespace-run'],
    ['a folded start line', { start: 'INVITE sip:a@b SIP/2.0\r\n\tx: y' }, 'header-line'],
    ['LF alone', { Subject: 'a\nContent-Length: 0' }, 'line-end'],
    ['CR alone', { Subject: 'a\rb' }, 'line-end'],
    ['a line without a colon', { 'Subject\r\nFoo bar': 'x' }, 'header-line'],
    ['a name that is no token', { 'Content-Length\0': '0' }, 'header-line'],
  ])('%s is refused', (_, changes, problem) => {
    expect(asMalformed(invite(changes))).toMatchObject({ isRequest: true, problem })
  })

  it('128 headers are taken, one more is not', () => {
    const withHeaders = (count: number): Buffer =>
      octets(...inviteLines.slice(0, 8), ...Array.from({ length: count - 7 }, (_, i) => `X: ${i}`), '', '')
    expect(scan(withHeaders(128)).kind).toBe('request')
    expect(asMalformed(withHeaders(129))).toMatchObject({ problem: 'header-count', status: 400, answerable: true })
  })

  it('10 000 headers are refused after the first 128', () => {
    const many = Array.from({ length: 10_000 }, (_, i) => `X: ${i}`)
    const bytes = octets('INVITE sip:a@b SIP/2.0', ...many, '', '')
    expect(asMalformed(bytes)).toMatchObject({ problem: 'datagram-size', status: 513 })
    expect(scan(bytes, { ...defaultLimits, datagram: 1e6 })).toMatchObject({ problem: 'header-count' })
  })

  it('lines that end in LF only are refused', () => {
    expect(asMalformed(Buffer.from(invite().toString('latin1').replaceAll('\r\n', '\n'), 'latin1'))).toMatchObject({
      problem: 'line-end',
      answerable: false,
    })
  })

  it('a header named __proto__ is one header more, also as a parameter', () => {
    const via = 'SIP/2.0/UDP h;__proto__;branch=z9hG4bK1'
    const request = asRequest(
      invite({ ['__proto__' as string]: 'x', Via: via, start: 'INVITE sip:a@b;__proto__=1 SIP/2.0' }),
    )
    expect(request.topVia.param('__proto__')).toBe('')
    expect(request.uri.params.get('__proto__')).toBe('1')
  })

  it('64 KB of anything is refused for its size', () => {
    const huge = 'x'.repeat(65_000)
    for (const changes of [
      { From: `<sip:a@b>;tag=${huge}` },
      { Via: `SIP/2.0/UDP h;branch=z9hG4bK${huge}` },
      { Subject: huge },
    ]) {
      expect(asMalformed(invite(changes))).toMatchObject({ problem: 'datagram-size' })
    }
  })
})

describe('what is unusual but right', () => {
  it.each<[string, Record<string, string>]>([
    ['space before the colon', { 'Subject ': 'x' }],
    ['NUL inside quotes', { To: '"a\\\0b" <sip:bob@example.com>' }],
    ['UTF-8 in a display name', { From: 'JosÃ© <sip:jose@example.com>;tag=1' }],
    ['an empty header', { Subject: ' ' }],
    ['an unknown method', { start: 'DANCE sip:a@b SIP/2.0', CSeq: '1 DANCE' }],
    ['a header nobody knows with a strange value', { 'X-Odd': ';;,,;;,;"<' }],
    ['a run of 16 spaces', { Subject: `a${' '.repeat(16)}b` }],
    ['CSeq of 2^31 - 1', { CSeq: '2147483647 INVITE' }],
    ['an IPv6 Via', { Via: 'SIP/2.0/UDP [2001:db8::1]:5060;branch=z9hG4bK1' }],
    ['Max-Forwards 255', { 'Max-Forwards': '255' }],
    ['a Date that is none', { Date: 'yesterday' }],
  ])('%s is taken', (_, changes) => {
    expect(scan(invite(changes)).kind).toBe('request')
  })
})

describe('a malformed request', () => {
  it('can be answered when Via, From, To, Call-ID and CSeq are there', () => {
    expect(asMalformed(invite({ 'Content-Length': '99' }))).toMatchObject({
      answerable: true,
      message: { method: 'INVITE' },
    })
    for (const missing of ['From', 'To', 'Call-ID', 'CSeq', 'Via']) {
      expect(asMalformed(invite({ [missing]: '' }))).toMatchObject({ answerable: false })
    }
  })

  it('is not answered when it is an ACK', () => {
    const ack = invite({ start: 'ACK sip:bob@example.com SIP/2.0', CSeq: '1 ACK', 'Content-Length': '99' })
    expect(asMalformed(ack)).toMatchObject({ isRequest: true, answerable: false })
  })

  it('is not answered when an answer would carry its line breaks', () => {
    expect(asMalformed(invite({ 'Call-ID': 'a\nVia: b' }))).toMatchObject({ answerable: false })
    expect(asMalformed(invite({ Via: 'SIP/2.0/UDP h;branch=z9hG4bK1;a="\n"' }))).toMatchObject({ answerable: false })
  })
})
