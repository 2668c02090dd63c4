import type { SipRequest } from '@siplb/sip'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readWay } from '../../src/domain/affinity.ts'
import { forwardRequest, receivedParams, relayResponse, replyPort, type Forwarding } from '../../src/domain/edits.ts'
import { TokenSigner } from '../../src/domain/token-signer.ts'
import { tagHash, writeToken } from '../../src/domain/route-token.ts'
import { createTokenKey } from '../../src/shell/token-keys.ts'
import { asRequest, asResponse, request, response } from '../messages.ts'

const key = createTokenKey('0123456789abcdef0123456789abcdef')
const own = { isOurs: (host: string) => host === 'lb.example.com' }
const callerTag = tagHash('alice')
const token = writeToken(
  { kind: 'inbound', pool: 'p', proxy: 'x', callerTag, instance: 'i', worker: 0, flow: '' },
  'a84b4c76e66710',
  key,
)
const ours = `<sip:${token}@lb.example.com;lr>`
const via = 'SIP/2.0/UDP lb.example.com:5060;rport;branch=z9hG4bK.sl.i.0.x'

function forwarded(asked: SipRequest, forwarding: Partial<Forwarding> = {}): string[] {
  const way = readWay(asked, own, new TokenSigner([key]))
  return forwardRequest(asked, way, { via, received: {}, ...forwarding })
    .toString('latin1')
    .split('\r\n')
}

const routesIn = (lines: readonly string[]) => lines.filter((line) => line.startsWith('Route: '))

describe('a forwarded request', () => {
  it('gets our Via above the others, one hop less, and our Record-Route above the others', () => {
    const asked = request({ headers: ['Via: SIP/2.0/UDP edge', 'Record-Route: <sip:edge;lr>'], maxForwards: '12' })
    const lines = forwarded(asked, { recordRoutes: [ours] })
    expect(lines.slice(1, 4)).toEqual([
      `Via: ${via}`,
      'Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK776asdhds',
      'Via: SIP/2.0/UDP edge',
    ])
    expect(lines.slice(4, 7)).toEqual([`Record-Route: ${ours}`, 'Record-Route: <sip:edge;lr>', 'Max-Forwards: 11'])
  })

  it('gets two Record-Routes in their order, and a Path above the others', () => {
    const far = ours.replace(';lr', ';transport=tcp;lr')
    const asked = request({ headers: ['Record-Route: <sip:edge;lr>', 'Path: <sip:edge;lr>'] })
    const lines = forwarded(asked, { recordRoutes: [far, ours], path: ours })
    const headers = lines.filter((line) => /^(Record-Route|Path)/.test(line))
    expect(headers).toEqual([
      `Record-Route: ${far}`,
      `Record-Route: ${ours}`,
      'Record-Route: <sip:edge;lr>',
      `Path: ${ours}`,
      'Path: <sip:edge;lr>',
    ])
  })

  it('tells its length on a stream, where it did not before', () => {
    const asked = asRequest(
      Buffer.from(request().bytes.toString('latin1').replace('Content-Length: 0\r\n', ''), 'latin1'),
    )
    expect(forwarded(asked, { isStream: true })).toContain('Content-Length: 0')
    expect(forwarded(asked).join()).not.toContain('Content-Length')
    expect(forwarded(request(), { isStream: true }).filter((line) => line.startsWith('Content-Length'))).toHaveLength(1)
  })

  it('gets 70 hops where it said none', () => {
    expect(forwarded(request({ maxForwards: '' }))).toContain('Max-Forwards: 70')
  })

  it('is stamped with where it came from', () => {
    const lines = forwarded(request(), { received: { received: '198.51.100.9', rport: 9 } })
    expect(lines[2]).toBe('Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK776asdhds;received=198.51.100.9;rport=9')
  })

  it('loses our Routes, one or two, and keeps those below', () => {
    const next = '<sip:px1.example.com;lr>'
    expect(routesIn(forwarded(request({ headers: [`Route: ${ours}`] })))).toEqual([])
    expect(routesIn(forwarded(request({ headers: [`Route: ${ours}, ${next}`] })))).toEqual([`Route: ${next}`])
    expect(routesIn(forwarded(request({ headers: [`Route: ${ours},${ours}`, `Route: ${next}`] })))).toEqual([
      `Route: ${next}`,
    ])
  })

  it('names the proxy that stands in where the one of its Route is gone', () => {
    const asked = request({ headers: [`Route: ${ours}, <sip:px1.example.com;lr>`, 'Route: <sip:bob.example.com;lr>'] })
    const lines = forwarded(asked, { replaceRoute: '<sip:px2.example.com;lr>' })
    expect(routesIn(lines)).toEqual(['Route: <sip:px2.example.com;lr>', 'Route: <sip:bob.example.com;lr>'])
  })
})

describe('behind a strict router', () => {
  const uri = `sip:${token}@lb.example.com;lr`

  it('the Request-URI that was meant comes back from the end of the routes', () => {
    const headers = ['Route: <sip:px1.example.com;lr>', 'Route: <sip:bob@192.0.2.4;x=1>']
    const lines = forwarded(request({ uri, headers }))
    expect(lines[0]).toBe('INVITE sip:bob@192.0.2.4;x=1 SIP/2.0')
    expect(routesIn(lines)).toEqual(['Route: <sip:px1.example.com;lr>'])
  })

  it.each([
    { headers: ['Route: <sip:bob@192.0.2.4>'], left: [] },
    { headers: [`Route: ${ours}, <sip:bob@192.0.2.4>`], left: [] },
    { headers: [`Route: ${ours}`, 'Route: <sip:bob@192.0.2.4>'], left: [] },
    {
      headers: [`Route: ${ours},<sip:px1.example.com;lr>,<sip:bob@192.0.2.4>`],
      left: ['Route: <sip:px1.example.com;lr>'],
    },
  ])('with $headers, too', ({ headers, left }) => {
    const lines = forwarded(request({ uri, headers }))
    expect(lines[0]).toBe('INVITE sip:bob@192.0.2.4 SIP/2.0')
    expect(routesIn(lines)).toEqual(left)
  })
})

describe('before a strict router', () => {
  const strict = '<sip:px1.example.com>'

  it.each([
    { headers: [`Route: ${ours}`, `Route: ${strict}`], left: ['Route: <sip:bob@example.com>'] },
    {
      headers: [`Route: ${ours},${strict},<sip:deeper.example.com;lr>`],
      left: ['Route: <sip:deeper.example.com;lr>', 'Route: <sip:bob@example.com>'],
    },
  ])('with $headers, the goal goes to the end of the routes, and the router into the Request-URI', (given) => {
    const lines = forwarded(request({ headers: given.headers }))
    expect(lines[0]).toBe('INVITE sip:px1.example.com SIP/2.0')
    expect(routesIn(lines)).toEqual(given.left)
  })

  it('and behind one, the goal stays where it is', () => {
    const headers = [`Route: ${strict}, <sip:bob@192.0.2.4>`]
    const lines = forwarded(request({ uri: `sip:${token}@lb.example.com;lr`, headers }))
    expect([lines[0], routesIn(lines)]).toEqual(['INVITE sip:px1.example.com SIP/2.0', ['Route: <sip:bob@192.0.2.4>']])
  })
})

describe('a maddr in the Request-URI', () => {
  it.each([
    ['sip:bob@example.com;maddr=lb.example.com', 'sip:bob@example.com'],
    ['sip:a;b=c@example.com:5060;transport=udp;maddr=lb.example.com;x=y', 'sip:a;b=c@example.com;x=y'],
    ['sips:example.com;MADDR=lb.example.com', 'sips:example.com'],
  ])('that means us goes, with what belongs to it: %s', (uri, left) => {
    expect(forwarded(request({ uri }))[0]).toBe(`INVITE ${left} SIP/2.0`)
  })

  it.each(['sip:bob@example.com;maddr=192.0.2.66', 'sip:bob@example.com;transport=udp'])(
    'stays where it means somebody else, or is none: %s',
    (uri) => {
      expect(forwarded(request({ uri }))[0]).toBe(`INVITE ${uri} SIP/2.0`)
    },
  )
})

/** Lines that a stranger may send, none of which is ours to touch. */
const text = fc.stringMatching(/^[\x21-\x7e\x80-\xff]([\x20-\x7e\x80-\xff]{0,30}[\x21-\x7e\x80-\xff])?$/)
const singleSpaced = text.map((one) => one.replaceAll(/ +/g, ' '))
const foreign = fc.oneof(
  fc
    .tuple(fc.constantFrom('X-Any', 's', 'User-Agent', '__proto__', 'Supported'), singleSpaced)
    .map((p) => p.join(': ')),
  singleSpaced.map((value) => `Subject: a ${value}\r\n\t folded`),
  fc.constantFrom(
    'v:SIP/2.0/TCP a.example;branch="x,y" ;foo , SIP / 2.0 / UDP b.example',
    'Record-Route: <sip:other.example;lr>,<sip:third.example;lr;x="a,b">',
    'm: "A, <B>" <sip:a@b?Subject=x>;q=0.1',
    'Via: SIP/2.0/UDP [2001:db8::9]:5060;branch=z9hG4bK9',
  ),
)

const parts = fc.record({
  above: fc.array(foreign, { maxLength: 4 }),
  between: fc.array(foreign, { maxLength: 4 }),
  below: fc.array(foreign, { maxLength: 4 }),
  top: fc.constantFrom(
    { line: 'Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1', stamped: ';received=198.51.100.9' },
    {
      line: 'v:  SIP / 2.0 / UDP h.example ; rport ;branch=z9hG4bK2',
      stamped: undefined,
    },
  ),
  hops: fc.constantFrom(undefined, 1, 70, 255),
  ownRoutes: fc.nat(2),
  routes: fc.array(fc.constantFrom('<sip:r1.example;lr>', '"R, 2" <sip:r2.example;lr>;x', '<sips:r3.example;lr;a=b>'), {
    maxLength: 3,
  }),
  separator: fc.constantFrom(', ', ',', ' ,\r\n '),
  isOneLine: fc.boolean(),
  isRecordRouting: fc.boolean(),
  body: fc.uint8Array({ maxLength: 60 }),
})

type Parts = typeof parts extends fc.Arbitrary<infer T> ? T : never

function routeLines({ routes, separator, isOneLine }: Parts, ownRoutes: number): string[] {
  const values = [...Array.from({ length: ownRoutes }, () => ours), ...routes]
  if (values.length === 0) return []
  return isOneLine ? [`Route: ${values.join(separator)}`] : values.map((value) => `Route: ${value}`)
}

interface Written {
  readonly before: Buffer
  readonly after: Buffer
}

/** A message of these parts, and what must have become of it when it went on. */
function written(p: Parts): Written {
  const fixed = ['From: <sip:a@b>;tag=alice', 'To: <sip:b@c>', 'i: a84b4c76e66710', 'CSeq: 1 INVITE']
  const length = `l: ${p.body.length}`
  const hops = p.hops === undefined ? [] : [`Max-Forwards: ${p.hops}`]
  const others = [...p.between, ...fixed, ...p.below]
  const viaAbove = p.above.filter((line) => !/^v:|^Via:/.test(line))
  const before = [...viaAbove, p.top.line, ...routeLines(p, p.ownRoutes), ...others, ...hops, length]
  const stamped = p.top.stamped === undefined ? stampedRport : p.top.line + p.top.stamped
  const changedHops = p.hops === undefined ? [] : [`Max-Forwards: ${p.hops - 1}`]
  const addedHops = p.hops === undefined ? ['Max-Forwards: 70'] : []
  const after = [...viaAbove, stamped, ...routeLines(p, 0), ...others, ...changedHops, length, ...addedHops]
  after.splice(after.indexOf(stamped), 0, `Via: ${via}`)
  if (p.isRecordRouting) addRecordRoute(after)
  return { before: assembled(before, p.body), after: assembled(after, p.body) }
}

const stampedRport = 'v:  SIP / 2.0 / UDP h.example ; rport=9 ;branch=z9hG4bK2;received=198.51.100.9'

// Above the first one there is, else above all headers: behind our own Via, where that is the first.
function addRecordRoute(lines: string[]): void {
  const first = lines.findIndex((line) => line.startsWith('Record-Route'))
  const isViaFirst = lines[0] === `Via: ${via}`
  lines.splice(first >= 0 ? first : isViaFirst ? 1 : 0, 0, `Record-Route: ${ours}`)
}

function assembled(lines: readonly string[], body: Uint8Array): Buffer {
  const head = ['INVITE sip:bob@example.com SIP/2.0', ...lines, '', ''].join('\r\n')
  return Buffer.concat([Buffer.from(head, 'latin1'), body])
}

describe('every other octet', () => {
  it('of a request stays as it came', () => {
    fc.assert(
      fc.property(parts, (p) => {
        const { before, after } = written(p)
        const asked = asRequest(before)
        const way = readWay(asked, own, new TokenSigner([key]))
        const rport = p.top.stamped === undefined ? { rport: 9 } : {}
        const result = forwardRequest(asked, way, {
          via,
          received: { received: '198.51.100.9', ...rport },
          ...(p.isRecordRouting ? { recordRoutes: [ours] } : {}),
        })
        expect(result.toString('latin1')).toBe(after.toString('latin1'))
      }),
      { numRuns: 1000 },
    )
  })

  it('of a response stays as it came, but for our Via', () => {
    const vias = fc.constantFrom(
      { before: [`Via: ${via}`, 'Via: SIP/2.0/UDP a'], after: ['Via: SIP/2.0/UDP a'] },
      { before: [`v: ${via} , SIP/2.0/UDP a;received=1.2.3.4`], after: ['v: SIP/2.0/UDP a;received=1.2.3.4'] },
      { before: [`Via:${via},\r\n  SIP/2.0/TCP a, SIP/2.0/UDP b`], after: ['Via:SIP/2.0/TCP a, SIP/2.0/UDP b'] },
    )
    const others = fc.array(
      foreign.filter((line) => !/^v:|^Via:/.test(line)),
      { maxLength: 4 },
    )
    fc.assert(
      fc.property(others, vias, others, fc.uint8Array({ maxLength: 60 }), (above, { before, after }, below, body) => {
        const fixed = ['f: <sip:a@b>;tag=1', 't: <sip:b@c>;tag=2', 'i: x', 'CSeq: 1 INVITE', `l: ${body.length}`]
        const build = (lines: readonly string[]) =>
          Buffer.concat([Buffer.from(['SIP/2.0 200 Gr\xfc\xdfe', ...lines, '', ''].join('\r\n'), 'latin1'), body])
        const result = relayResponse(asResponse(build([...above, ...before, ...fixed, ...below])))
        expect(result.toString('latin1')).toBe(build([...above, ...after, ...fixed, ...below]).toString('latin1'))
      }),
    )
  })
})

describe('what the topmost Via is given', () => {
  const from = { address: '198.51.100.9', port: 9 }
  it.each([
    { via: 'SIP/2.0/UDP 198.51.100.9:5070', gets: {}, because: 'it says the truth' },
    { via: 'SIP/2.0/UDP 192.0.2.1', gets: { received: from.address }, because: 'it says another address' },
    { via: 'SIP/2.0/UDP phone.example', gets: { received: from.address }, because: 'it says a name' },
    {
      via: 'SIP/2.0/UDP 198.51.100.9;rport',
      gets: { received: from.address, rport: 9 },
      because: 'it asks for the port',
    },
    {
      via: 'SIP/2.0/UDP 198.51.100.9;rport=1;received=203.0.113.1',
      gets: { received: from.address, rport: 9 },
      because: 'it may not say so itself',
    },
  ])('is $gets, for $because', ({ via: top, gets }) => {
    expect(receivedParams(request({ via: top }), from)).toEqual(gets)
  })

  it('compares IPv6 without its brackets', () => {
    const source = { address: '2001:db8::9', port: 9 }
    expect(receivedParams(request({ via: 'SIP/2.0/UDP [2001:db8::9]:5070' }), source)).toEqual({})
  })
})

it.each([
  ['SIP/2.0/UDP 192.0.2.1:5070', 5070],
  ['SIP/2.0/UDP 192.0.2.1', 5060],
  ['SIP/2.0/UDP 192.0.2.1:5070;rport', 9],
])('a response along %s goes to port %i', (top, port) => {
  expect(replyPort(request({ via: top }), { port: 9 })).toBe(port)
})

it('a response of one Via has none left for anybody', () => {
  expect(relayResponse(response(200, { vias: [via] })).toString('latin1')).not.toContain('Via')
})
