import { HeaderId, headerName, parseCSeq, parseNameAddrText, parseRoutes, parseVia } from '@siplb/sip'
import type { Via } from '@siplb/sip'
import { describe, expect, it } from 'vitest'
import { asMalformed, asRequest, invite } from '../messages.ts'

const via = (text: string): Via | undefined => parseVia(Buffer.from(text, 'latin1'), 0, text.length)

describe('Via', () => {
  it('gives its pieces', () => {
    const value = via('SIP/2.0/udp [2001:DB8::1]:5061;received=[2001:db8::2];rport=7;branch=z9hG4bK1;oc=20;alias')
    expect(value).toMatchObject({
      transport: 'UDP',
      sentBy: '[2001:db8::1]:5061',
      host: '[2001:db8::1]',
      port: 5061,
      received: '2001:db8::2',
      rport: 7,
      branch: 'z9hG4bK1',
      hasMore: false,
    })
    expect([value?.param('oc'), value?.param('alias'), value?.param('nothing')]).toEqual(['20', '', undefined])
  })

  it('may have blanks wherever the grammar has them', () => {
    expect(via('SIP / 2.0 / UDP\t h : 5060 ; branch = x , SIP/2.0/TCP i')).toMatchObject({
      sentBy: 'h:5060',
      branch: 'x',
      hasMore: true,
    })
  })

  it.each([
    '',
    'SIP/2.0/UDP',
    'SIP/2.0 UDP h',
    'SIP/2.0/UDPh',
    '2.0/UDP h',
    'SIP/2.0/UDP h:',
    'SIP/2.0/UDP h:x',
    'SIP/2.0/UDP h:5060x',
    'SIP/2.0/UDP h:70000',
    'SIP/2.0/UDP h;',
    'SIP/2.0/UDP h;;branch=x',
    'SIP/2.0/UDP h;branch',
    'SIP/2.0/UDP h;branch=',
    'SIP/2.0/UDP h;received',
    'SIP/2.0/UDP h;rport=x',
    'SIP/2.0/UDP h;rport;rport',
    'SIP/2.0/UDP h;a="b',
    'SIP/2.0/UDP h i',
    'SIP/2.0/UDP ::1',
  ])('%j is none', (text) => {
    expect(via(text)).toBeUndefined()
  })
})

describe('From, To and their like', () => {
  it.each([
    ['<sip:a@b;x=y>;tag=t', 'sip:a@b;x=y', 't'],
    ['sip:a@b;tag=t', 'sip:a@b', 't'],
    ['"A <sip:evil@x>" <sip:a@b> ; TAG = t', 'sip:a@b', 't'],
    ['Alice Liddell<sip:a@b>', 'sip:a@b', undefined],
    ['<http://www.example.com>;tag=t', 'http://www.example.com', 't'],
  ])('%s', (text, uri, tag) => {
    const value = parseNameAddrText(text)
    expect([value?.uri, value?.tag]).toEqual([uri, tag])
  })

  it.each([
    '',
    '<sip:a@b',
    '<>',
    '< sip:a@b>',
    'sip:a b',
    'sip:a@b?x=y',
    '"a <sip:a@b>',
    'a;b <sip:a@b>',
    '<sip:a@b>;tag',
    '<sip:a@b>x',
    'a@b',
  ])('%j is none', (text) => {
    expect(parseNameAddrText(text)).toBeUndefined()
  })

  it('give header parameters, not those of the URI', () => {
    const value = parseNameAddrText('<sip:a@b;x=1>;y=2;z')
    expect([value?.param('x'), value?.param('y'), value?.param('z')]).toEqual([undefined, '2', ''])
  })
})

describe('CSeq', () => {
  const cseq = (text: string): unknown => parseCSeq(Buffer.from(text), 0, text.length)

  it('has a number and a method', () => {
    expect(cseq('0009\r\n  INVITE ')).toEqual({ number: 9, method: 'INVITE' })
  })

  it.each(['', '1', 'INVITE', '1INVITE', '-1 INVITE', '1 IN VITE', '1.5 INVITE', '9'.repeat(40) + ' INVITE'])(
    '%j is none',
    (text) => {
      expect(cseq(text)).toBeUndefined()
    },
  )
})

describe('Route', () => {
  it('is a list over all lines, each value loose or strict', () => {
    const request = asRequest(invite({ Route: '<sip:one;lr>, "x, y" <sip:two>' }))
    expect(parseRoutes(request)?.map(({ text, isLoose }) => [text, isLoose])).toEqual([
      ['sip:one;lr', true],
      ['sip:two', false],
    ])
  })

  it('is none with headers in its URI: a strict router would make them part of a Request-URI', () => {
    expect(asMalformed(invite({ Route: '<sip:one?subject=x;lr>' })).problem).toBe('route')
  })

  it('is none when it is longer than any way can be', () => {
    const routes = (count: number) => asRequest(invite({ Route: Array(count).fill('<sip:a;lr>').join(',') }))
    expect(parseRoutes(routes(255))).toHaveLength(255)
    expect(asMalformed(invite({ Route: Array(256).fill('<sip:a;lr>').join(',') })).problem).toBe('route')
  })

  it('is read from Record-Route and Path as well, where a value may be none', () => {
    const request = asRequest(invite({ 'Record-Route': '<sip:one;lr>', Path: 'sip:two;lr' }))
    expect(parseRoutes(request, HeaderId.RecordRoute)).toHaveLength(1)
    expect(parseRoutes(request, HeaderId.Path)).toBeUndefined()
    expect(parseRoutes(request)).toEqual([])
  })
})

it('headers are written by their full names', () => {
  expect([HeaderId.CallId, HeaderId.WwwAuthenticate].map(headerName)).toEqual(['Call-ID', 'WWW-Authenticate'])
})
