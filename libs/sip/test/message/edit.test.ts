import {
  HeaderId,
  SipError,
  addLineAbove,
  addLineBelow,
  addViaParams,
  appendLine,
  applyEdits,
  prependLine,
  pushVia,
  removeLastRoute,
  removeLines,
  removeTopRoutes,
  removeTopVia,
  replaceRequestUri,
  setMaxForwards,
  setValue,
} from '@siplb/sip'
import type { Edit, SipRequest } from '@siplb/sip'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { asRequest, invite, inviteLines, octets } from '../messages.ts'

const request = asRequest(invite())

function linesAfter(message: SipRequest, ...edits: readonly Edit[]): string[] {
  return applyEdits(message, edits).toString('latin1').split('\r\n')
}

const linesBefore = (message: SipRequest): string[] => message.bytes.toString('latin1').split('\r\n')

/** OPTIONS with these routing lines between fixed others. */
function routed(...lines: string[]): SipRequest {
  const head = ['OPTIONS sip:bob@example.com SIP/2.0', 'Via: SIP/2.0/UDP h;branch=z9hG4bK1']
  return asRequest(
    octets(...head, ...lines, 'From: <sip:a@b>;tag=1', 'To: <sip:c@d>', 'Call-ID: i', 'CSeq: 1 OPTIONS', '', ''),
  )
}

const routesAfter = (message: SipRequest, edits: readonly Edit[]): string[] =>
  asRequest(applyEdits(message, edits)).values(HeaderId.Route)

describe('edits', () => {
  it('of nothing give the same octets', () => {
    expect(applyEdits(request, [])).toEqual(request.bytes)
  })

  it('are made wherever they stand in the list, those of one place in their order', () => {
    const a = prependLine(request, 'A', '1')
    const b = prependLine(request, 'B', '2')
    const body = appendLine(request, 'Z', '9')
    const uri = replaceRequestUri(request, 'sip:other@example.net')
    const lines = linesAfter(request, body, a, b, uri)
    expect(lines.slice(0, 3)).toEqual(['INVITE sip:other@example.net SIP/2.0', 'A: 1', 'B: 2'])
    expect(lines.slice(3)).toEqual([...inviteLines.slice(1), 'Z: 9', '', 'v=0\n'])
  })

  it('put a new line in front of one that goes away at the same place', () => {
    const [gone] = removeTopVia(request)
    if (gone === undefined) throw new Error('no edit')
    expect(linesAfter(request, gone, pushVia(request, 'SIP/2.0/UDP new;branch=z9hG4bK2')).slice(1, 3)).toEqual([
      'Via: SIP/2.0/UDP new;branch=z9hG4bK2',
      'Max-Forwards: 70',
    ])
  })

  it('that take away the same octet are refused', () => {
    const edits = [setMaxForwards(request, 1), setMaxForwards(request, 2)]
    expect(() => applyEdits(request, edits)).toThrow(SipError)
  })

  it('cannot bring lines of their own', () => {
    expect(() => prependLine(request, 'A', 'x\r\nB: y')).toThrow(SipError)
    expect(() => replaceRequestUri(request, 'sip:a\nb')).toThrow(SipError)
    expect(() => setValue(request, HeaderId.Contact, 'a\0b')).toThrow(SipError)
    expect(() => addViaParams(request, { received: '1\r\n' })).toThrow(SipError)
  })
})

describe('Max-Forwards', () => {
  it('is replaced in its line', () => {
    expect(linesAfter(request, setMaxForwards(request, 69))[2]).toBe('Max-Forwards: 69')
  })

  it('is added where it is missing', () => {
    const bare = asRequest(invite({ 'Max-Forwards': '' }))
    expect(asRequest(applyEdits(bare, [setMaxForwards(bare, 70)])).maxForwards).toBe(70)
  })
})

describe('Via parameters', () => {
  const viaAfter = (via: string, params: { received?: string; rport?: number }): string | undefined => {
    const message = asRequest(invite({ Via: via }))
    return linesAfter(message, ...addViaParams(message, params))[1]
  }

  it.each([
    ['SIP/2.0/UDP h;branch=z9hG4bK1', 'SIP/2.0/UDP h;branch=z9hG4bK1;received=192.0.2.9;rport=5'],
    ['SIP/2.0/UDP h;rport;branch=z9hG4bK1', 'SIP/2.0/UDP h;rport=5;branch=z9hG4bK1;received=192.0.2.9'],
    [
      'SIP/2.0/UDP h;received=6.6.6.6;rport=66;branch=z9hG4bK1',
      'SIP/2.0/UDP h;received=192.0.2.9;rport=5;branch=z9hG4bK1',
    ],
    [
      'SIP/2.0/UDP h ; branch=z9hG4bK1 , SIP/2.0/UDP i',
      'SIP/2.0/UDP h ; branch=z9hG4bK1;received=192.0.2.9;rport=5 , SIP/2.0/UDP i',
    ],
    ['SIP/2.0/UDP h', 'SIP/2.0/UDP h;received=192.0.2.9;rport=5'],
  ])('of %s are filled in', (before, after) => {
    expect(viaAfter(before, { received: '192.0.2.9', rport: 5 })).toBe(`Via: ${after}`)
  })

  it('are left alone when there is nothing to say', () => {
    expect(addViaParams(request, {})).toEqual([])
  })
})

describe('the topmost Via', () => {
  it('goes with its line, or out of its list', () => {
    const list = asRequest(invite({ Via: 'SIP/2.0/UDP one;a=",",\r\n SIP/2.0/UDP two', v: 'SIP/2.0/UDP three' }))
    const once = asRequest(applyEdits(list, removeTopVia(list)))
    expect(once.values(HeaderId.Via)).toEqual(['SIP/2.0/UDP two', 'SIP/2.0/UDP three'])
    const twice = asRequest(applyEdits(once, removeTopVia(once)))
    expect(twice.values(HeaderId.Via)).toEqual(['SIP/2.0/UDP three'])
  })

  it.each([
    ['SIP/2.0/UDP one, ,SIP/2.0/UDP two', ['SIP/2.0/UDP two', 'SIP/2.0/UDP three']],
    ['SIP/2.0/UDP one,,', ['SIP/2.0/UDP three']],
  ])('leaves no empty value in its place: %s', (via, left) => {
    const list = asRequest(invite({ Via: via, v: 'SIP/2.0/UDP three' }))
    const bytes = applyEdits(list, removeTopVia(list))
    expect(asRequest(bytes).values(HeaderId.Via)).toEqual(left)
    expect(bytes.toString('latin1')).not.toContain('Via: ,')
  })
})

describe('Route', () => {
  const three = routed('Route: <sip:one;lr> , <sip:two;lr>', 'Route: <sip:three;lr>')

  it.each([
    [0, ['<sip:one;lr>', '<sip:two;lr>', '<sip:three;lr>']],
    [1, ['<sip:two;lr>', '<sip:three;lr>']],
    [2, ['<sip:three;lr>']],
    [3, []],
    [9, []],
  ])('loses its first %i values over all lines', (count, left) => {
    expect(routesAfter(three, removeTopRoutes(three, count))).toEqual(left)
  })

  it('loses its last value', () => {
    expect(routesAfter(three, removeLastRoute(three))).toEqual(['<sip:one;lr>', '<sip:two;lr>'])
    const list = routed('Route: <sip:one;lr> ,\r\n <sip:two;lr>')
    expect(routesAfter(list, removeLastRoute(list))).toEqual(['<sip:one;lr>'])
    expect(removeLastRoute(request)).toEqual([])
  })

  it('gets a value above and one below', () => {
    const edits = [
      addLineAbove(three, HeaderId.Route, '<sip:zero;lr>'),
      addLineBelow(three, HeaderId.Route, '<sip:four;lr>'),
    ]
    expect(routesAfter(three, edits)).toEqual([
      '<sip:zero;lr>',
      '<sip:one;lr>',
      '<sip:two;lr>',
      '<sip:three;lr>',
      '<sip:four;lr>',
    ])
  })

  it('is made where there was none', () => {
    expect(routesAfter(request, [addLineAbove(request, HeaderId.Route, '<sip:x;lr>')])).toEqual(['<sip:x;lr>'])
    expect(routesAfter(request, [addLineBelow(request, HeaderId.Route, '<sip:x;lr>')])).toEqual(['<sip:x;lr>'])
  })

  it('goes altogether', () => {
    expect(linesAfter(three, ...removeLines(three, HeaderId.Route))).toEqual(linesBefore(routed()))
  })
})

// Messages with headers in any order, case and form, of which the routing headers are known.
const blank = fc.constantFrom('', ' ', '  ', '\t', '\r\n ', ' \r\n\t')
const word = fc.stringMatching(/^[A-Za-z0-9.!%*_+`'~-]{1,12}$/)
const text = fc.stringMatching(/^[\x21-\x7e\x80-\xff]([\x20-\x7e\x80-\xff]{0,20}[\x21-\x7e\x80-\xff])?$/)
const other = fc.tuple(
  word.map((name) => `X-${name}`),
  text,
)
const known = fc.constant([
  ['Via', 'SIP/2.0/UDP one;branch=z9hG4bK1 , SIP/2.0/TCP two'],
  ['v', 'SIP/2.0/TLS three'],
  ['f', '"A, \\" B" <sip:a@b>;tag=1'],
  ['TO', '<sip:c@d;x=y>;z="1,2"'],
  ['call-id', 'i@d'],
  ['CSeq', '7 OPTIONS'],
  ['MAX-FORWARDS', '12'],
  ['Route', '<sip:r1;lr>,<sip:r2;lr>'],
  ['Route', '<sip:r3;lr>'],
] as [string, string][])

const anyMessage = fc
  .record({
    known,
    others: fc.array(other, { maxLength: 8 }),
    order: fc.infiniteStream(fc.nat()),
    blank,
    body: fc.uint8Array(),
  })
  .map(({ known: fixed, others, order, blank: space, body }) => {
    const keyed = [...fixed, ...others].map((header) => ({ header, key: order.next().value as number }))
    // Lines of one name keep their order: it has a meaning.
    const shuffled = keyed.toSorted((a, b) => (a.header[0][0] === b.header[0][0] ? 0 : a.key - b.key))
    const lines = shuffled.map(
      ({ header: [name, value] }) => `${name}${space.includes('\r') ? '' : space}:${space}${value}${space}`,
    )
    const head = octets('OPTIONS sip:x@y SIP/2.0', ...lines, '', '')
    return asRequest(Buffer.concat([head, Buffer.from(body)]))
  })

const everyEdit: Readonly<
  Record<string, (message: SipRequest) => { edits: readonly Edit[]; touches: readonly HeaderId[] }>
> = {
  nothing: () => ({ edits: [], touches: [] }),
  setMaxForwards: (message) => ({ edits: [setMaxForwards(message, 11)], touches: [HeaderId.MaxForwards] }),
  pushVia: (message) => ({ edits: [pushVia(message, 'SIP/2.0/UDP us;branch=z9hG4bK9')], touches: [HeaderId.Via] }),
  removeTopVia: (message) => ({ edits: removeTopVia(message), touches: [HeaderId.Via] }),
  addViaParams: (message) => ({ edits: addViaParams(message, { received: 'r', rport: 1 }), touches: [HeaderId.Via] }),
  removeTopRoutes: (message) => ({ edits: removeTopRoutes(message, 2), touches: [HeaderId.Route] }),
  removeLastRoute: (message) => ({ edits: removeLastRoute(message), touches: [HeaderId.Route] }),
  replaceRequestUri: (message) => ({ edits: [replaceRequestUri(message, 'sip:z')], touches: [] }),
}

describe('any message', () => {
  it.each(Object.keys(everyEdit))('after %s has every other line, and its body, as before', (name) => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const { edits, touches } = everyEdit[name]?.(message) ?? { edits: [], touches: [] }
        const after = asRequest(applyEdits(message, edits))
        const untouched = (one: SipRequest): string[] =>
          one.lines
            .filter((line) => !touches.includes(line.id))
            .map((line) => one.bytes.toString('latin1', line.start, line.end))
        expect(untouched(after)).toEqual(untouched(message))
        expect(after.bytes.subarray(after.bodyStart)).toEqual(message.bytes.subarray(message.bodyStart))
      }),
    )
  })

  it('is itself again when a Via was pushed and removed', () => {
    fc.assert(
      fc.property(anyMessage, (message) => {
        const pushed = asRequest(applyEdits(message, [pushVia(message, 'SIP/2.0/UDP us;branch=z9hG4bK9')]))
        expect(pushed.viaCount).toBe(message.viaCount + 1)
        expect(applyEdits(pushed, removeTopVia(pushed))).toEqual(message.bytes)
      }),
    )
  })
})
