import { describe, expect, it } from 'vitest'
import { locate, type LocateOptions, type Step } from '../../src/locating/locate.ts'
import { keyOf, type Answer, type Question } from '../../src/locating/records.ts'
import { address, naptr, outcomeIn, srv, targetAt, type Zone } from './zone.ts'

const options: LocateOptions = { transports: ['udp', 'tcp', 'tls'], random: () => 0 }

/** Asks until nothing is left to be asked. */
function located(text: string, zone: Zone, own: Partial<LocateOptions> = {}) {
  const answers = new Map<string, Answer>()
  const asked: string[] = []
  const known = (question: Question) => answers.get(keyOf(question))
  let step: Step
  while ((step = locate(targetAt(text), known, { ...options, ...own })).kind === 'ask') {
    for (const question of step.questions) {
      const outcome = outcomeIn(zone, question)
      asked.push(keyOf(question))
      answers.set(
        keyOf(question),
        outcome.kind === 'records' ? { ...outcome, isStale: false } : { ...outcome, kind: 'nothing' },
      )
    }
  }
  const places = step.kind === 'located' ? step.places : []
  return { step, asked, places: places.map((place) => `${place.transport} ${place.address} ${place.port}`) }
}

const hosts: Zone = {
  'A px1.example.com': [address('192.0.2.1')],
  'AAAA px1.example.com': [address('2001:db8::1')],
  'A px2.example.com': [address('192.0.2.2')],
  'A px3.example.com': [address('192.0.2.3')],
  'A example.com': [address('192.0.2.80')],
}
const services: Zone = {
  ...hosts,
  'SRV _sip._udp.example.com': [srv(1, 1, 5060, 'px1.example.com')],
  'SRV _sip._tcp.example.com': [srv(1, 1, 5062, 'px2.example.com')],
  'SRV _sips._tcp.example.com': [srv(1, 1, 5063, 'px3.example.com')],
}

describe('RFC 3263, 4.1 and 4.2: the transport, the address and the port', () => {
  it.each([
    ['sip:192.0.2.7', 'udp 192.0.2.7 5060'],
    ['sip:192.0.2.7:5070', 'udp 192.0.2.7 5070'],
    ['sips:192.0.2.7', 'tls 192.0.2.7 5061'],
    ['sip:192.0.2.7;transport=tls', 'tls 192.0.2.7 5061'],
    ['sip:[2001:db8::7];transport=tcp', 'tcp 2001:db8::7 5060'],
  ])('asks nobody about %s', (uri, place) => {
    expect(located(uri, services)).toMatchObject({ asked: [], places: [place] })
  })

  it.each([
    ['sip:px2.example.com:5070', 'udp 192.0.2.2 5070'],
    ['sips:px2.example.com:5070', 'tls 192.0.2.2 5070'],
    ['sip:px2.example.com:5070;transport=tcp', 'tcp 192.0.2.2 5070'],
  ])('asks for addresses alone where %s gives the port', (uri, place) => {
    expect(located(uri, services)).toMatchObject({
      asked: ['A px2.example.com', 'AAAA px2.example.com'],
      places: [place],
    })
  })

  it('asks for the services of the one transport that the URI names', () => {
    const { asked, places } = located('sip:example.com;transport=tcp', services)
    expect(asked).toEqual(['SRV _sip._tcp.example.com', 'A px2.example.com', 'AAAA px2.example.com'])
    expect(places).toEqual(['tcp 192.0.2.2 5062'])
    expect(located('sip:example.com;transport=tls', services).places).toEqual(['tls 192.0.2.3 5063'])
  })

  it('takes the order of transports from NAPTR records', () => {
    const zone: Zone = {
      ...services,
      'NAPTR example.com': [
        naptr(20, 10, 'SIP+D2U', '_sip._udp.example.com'),
        naptr(10, 20, 'SIP+D2T', '_sip._tcp.example.com'),
        naptr(10, 10, 'SIPS+D2T', '_sips._tcp.example.com'),
      ],
    }
    expect(located('sip:example.com', zone).places).toEqual(['tls 192.0.2.3 5063', 'tcp 192.0.2.2 5062'])
    expect(located('sips:example.com', zone).places).toEqual(['tls 192.0.2.3 5063'])
    const { places } = located('sip:example.com', zone, { transports: ['udp'] })
    expect(places).toEqual(['udp 192.0.2.1 5060', 'udp 2001:db8::1 5060'])
  })

  it('passes over NAPTR records that are not for SIP, and that rewrite by expression', () => {
    const fit = naptr(30, 1, 'sip+d2t', '_sip._tcp.example.com')
    const zone: Zone = {
      ...services,
      'NAPTR example.com': [
        naptr(10, 1, 'E2U+sip', '_sip._udp.example.com'),
        { ...naptr(10, 1, 'SIP+D2U', '_sip._udp.example.com'), regexp: '!^.*$!sip:info@example.com!' } as typeof fit,
        { ...naptr(10, 1, 'SIP+D2U', '_sip._udp.example.com'), flags: 'U' } as typeof fit,
        naptr(10, 1, 'SIP+D2U', ''),
        fit,
      ],
    }
    expect(located('sip:example.com', zone).places).toEqual(['tcp 192.0.2.2 5062'])
  })

  it('asks for the services of all transports where there is no NAPTR record, the preferred transport first', () => {
    const { asked, places } = located('sip:example.com', services, { transports: ['tls', 'udp'] })
    expect(asked.slice(0, 3)).toEqual(['NAPTR example.com', 'SRV _sips._tcp.example.com', 'SRV _sip._udp.example.com'])
    expect(places).toEqual(['tls 192.0.2.3 5063', 'udp 192.0.2.1 5060', 'udp 2001:db8::1 5060'])
  })

  it('asks by TLS alone for sips', () => {
    const { asked, places } = located('sips:example.com', services)
    expect(asked.filter((question) => question.startsWith('SRV'))).toEqual(['SRV _sips._tcp.example.com'])
    expect(places).toEqual(['tls 192.0.2.3 5063'])
  })

  it.each([
    ['sip:example.com', 'udp 192.0.2.80 5060'],
    ['sips:example.com', 'tls 192.0.2.80 5061'],
    ['sip:example.com;transport=tcp', 'tcp 192.0.2.80 5060'],
    ['sip:example.com;transport=tls', 'tls 192.0.2.80 5061'],
  ])('takes the addresses of the domain and the default port where there is no service: %s', (uri, place) => {
    expect(located(uri, hosts).places).toEqual([place])
  })

  it('orders services by priority, and passes over those without an address', () => {
    const zone: Zone = {
      ...hosts,
      'SRV _sip._udp.example.com': [
        srv(20, 1, 5060, 'px2.example.com'),
        srv(10, 1, 5060, 'gone.example.com'),
        srv(10, 1, 5061, 'px3.example.com'),
      ],
    }
    expect(located('sip:example.com', zone).places).toEqual(['udp 192.0.2.3 5061', 'udp 192.0.2.2 5060'])
  })
})

it('takes a target of "." for what it says: no such service, not even at the address of the domain (RFC 2782)', () => {
  const zone: Zone = { ...hosts, 'SRV _sip._udp.example.com': [srv(0, 0, 0, '')] }
  expect(located('sip:example.com', zone).step).toEqual({ kind: 'unlocated', code: 'ENOSERVICE' })
})

it('says why there is no place', () => {
  expect(located('sip:nowhere.example.com', hosts).step).toEqual({ kind: 'unlocated', code: 'ENOTFOUND' })
  expect(located('sip:192.0.2.1;transport=ws', hosts).step).toEqual({ kind: 'unlocated', code: 'EPROTONOSUPPORT' })
})

it('is stale when one of the answers is', () => {
  const stale = (question: Question): Answer =>
    question.type === 'A'
      ? { kind: 'records', records: [address('192.0.2.1')], isStale: true }
      : { kind: 'nothing', code: 'ENODATA' }
  expect(locate(targetAt('sip:example.com'), stale, options)).toMatchObject({ kind: 'located', isStale: true })
})
