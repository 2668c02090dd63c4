import { defaultPort, hostPort, isHost, parseUri } from '@siplb/sip'
import { describe, expect, it } from 'vitest'

describe('a URI', () => {
  it('is taken apart', () => {
    const uri = parseUri('SIPS:alice:secret@Example.COM:5081;Transport=tcp;lr?Subject=x')
    expect(uri).toMatchObject({
      scheme: 'sips',
      user: 'alice',
      password: 'secret',
      host: 'example.com',
      port: 5081,
      headers: 'Subject=x',
    })
    expect([...(uri?.params ?? [])]).toEqual([
      ['transport', 'tcp'],
      ['lr', ''],
    ])
  })

  it('keeps escapes and parameters of the user part', () => {
    expect(parseUri('sip:user;par=u%40example.net@example.com')).toMatchObject({
      user: 'user;par=u%40example.net',
      host: 'example.com',
    })
  })

  it('has IPv6 in brackets and, for sockets, without', () => {
    expect(parseUri('sip:[2001:DB8::10]:5070')).toMatchObject({
      host: '[2001:db8::10]',
      hostname: '2001:db8::10',
      port: 5070,
    })
  })

  it('of another scheme is kept whole', () => {
    expect(parseUri('tel:+1;phone-context=x@y')).toMatchObject({
      scheme: 'tel',
      user: '+1;phone-context=x@y',
      host: '',
    })
  })

  it.each([
    '',
    'sip',
    'sip:',
    ':x',
    '1sip:a',
    'sip:@host',
    'sip:user@',
    'sip:a@b@c',
    'sip:a@b;x=y@c',
    'sip:a b@c',
    'sip:a@b:',
    'sip:a@b:0',
    'sip:a@b:65536',
    'sip:a@b:5060x',
    'sip:a@b:999999999999',
    'sip:2001:db8::10',
    'sip:[2001:db8::10',
    'sip:[]',
    'sip:[::g]',
    'sip:a@b;',
    'sip:a@b;;lr',
    'sip:a@b;=x',
    'sip:a@b;lr;LR',
    'sip:a@b/c',
    'sip:a@b>',
    'sip:josé@b',
    'sip:a@b\u007f',
  ])('%j is none', (text) => {
    expect(parseUri(text)).toBeUndefined()
  })
})

it('the port where none is written follows the transport', () => {
  expect(['udp', 'TCP', 'tls', 'ws', 'wss'].map(defaultPort)).toEqual([5060, 5060, 5061, 80, 443])
  const portOf = (text: string): number | undefined => {
    const uri = parseUri(text)
    return uri && hostPort(uri).port
  }
  expect(['sip:h', 'sips:h', 'sip:h;transport=tls', 'sip:h:7'].map(portOf)).toEqual([5060, 5061, 5061, 7])
})

it('hosts are names, IPv4 and bracketed IPv6', () => {
  expect(['a', 'a_b.c-d', '192.0.2.1', '[::1]'].every(isHost)).toBe(true)
  expect(['', '::1', '[::1', 'a b', 'a/b', '[]', '[a]b'].some(isHost)).toBe(false)
})
