import { defaultLimits, scan } from '@siplb/sip'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { StreamFramer } from '../../src/framing/stream-framer.ts'
import type { Framed } from '../../src/framing/stream-framer.ts'
import { answer, invite, octets } from '../messages.ts'

const limits = { message: defaultLimits, buffered: 32_768 }

function frame(chunks: readonly Buffer[], framer = new StreamFramer(limits)): Framed[] {
  return chunks.flatMap((chunk) => framer.push(chunk))
}

/** `message INVITE … 4`, `ping`, `unframed content-length`: enough to compare, with the octets beside it. */
const told = (framed: readonly Framed[]): string[] =>
  framed.map((one) => {
    if (one.kind === 'ping') return 'ping'
    const text = one.bytes.toString('latin1')
    return one.kind === 'message' ? `message ${text}` : `unframed ${one.problem} ${text}`
  })

const message = (bytes: Buffer): string => `message ${bytes.toString('latin1')}`
const withLength = (...lines: string[]): Buffer =>
  octets('OPTIONS sip:x SIP/2.0', 'Via: SIP/2.0/TCP h;branch=z9hG4bK1', ...lines, '', '')
const crlf = Buffer.from('\r\n')

describe('a stream', () => {
  it('gives many messages that came in one read', () => {
    const bytes = Buffer.concat([invite(), answer(200).bytes, invite()])
    expect(told(frame([bytes]))).toEqual([invite(), answer(200).bytes, invite()].map(message))
  })

  it('gives a message that came over many reads, octet by octet', () => {
    const framer = new StreamFramer(limits)
    const single = [...invite()].map((octet) => Buffer.from([octet]))
    expect(told(frame(single.slice(0, -1), framer))).toEqual([])
    expect(framer.isPartial).toBe(true)
    expect(told(frame(single.slice(-1), framer))).toEqual([message(invite())])
    expect(framer.isPartial).toBe(false)
  })

  it('skips line ends before a message', () => {
    expect(told(frame([crlf, invite()]))).toEqual([message(invite())])
    expect(told(frame([Buffer.concat([crlf, invite(), crlf, invite()])]))).toEqual([invite(), invite()].map(message))
  })

  it('takes a double CRLF for a ping and a lone one for a pong, which is ignored', () => {
    expect(told(frame([crlf]))).toEqual([])
    expect(told(frame([Buffer.from('\r\n\r\n')]))).toEqual(['ping'])
    expect(told(frame([Buffer.from('\r'), Buffer.from('\n\r'), Buffer.from('\n')]))).toEqual(['ping'])
    expect(told(frame([invite(), crlf, invite(), crlf]))).toEqual([invite(), invite()].map(message))
  })

  it('has no message begun after line ends alone, but after half of one', () => {
    const framer = new StreamFramer(limits)
    framer.push(crlf)
    expect(framer.isPartial).toBe(false)
    framer.push(Buffer.from('\r'))
    expect(framer.isPartial).toBe(true)
  })

  it('takes a body for a body, whatever stands in it', () => {
    const body = invite()
    const outer = invite({ 'Content-Length': String(body.length) }).subarray(0, -4)
    const bytes = Buffer.concat([outer, body])
    expect(told(frame([bytes, invite()]))).toEqual([bytes, invite()].map(message))
  })
})

describe('Content-Length', () => {
  it.each([
    ['the compact form', ['l: 2']],
    ['any case, space before the colon', ['CONTENT-LENGTH \t: 2']],
    ['a fold', ['Content-Length:\r\n 2']],
    ['leading zeros', ['Content-Length: 0002']],
  ])('is found in %s', (_, lines) => {
    const bytes = Buffer.concat([withLength(...lines), Buffer.from('ab')])
    expect(told(frame([Buffer.concat([bytes, invite()])]))).toEqual([bytes, invite()].map(message))
  })

  it.each([
    ['missing', [], 'content-length'],
    ['missing but in a body-like header', ['Subject: Content-Length: 2'], 'content-length'],
    ['empty', ['Content-Length:'], 'content-length'],
    ['negative', ['Content-Length: -1'], 'content-length'],
    ['signed', ['Content-Length: +2'], 'content-length'],
    ['hexadecimal', ['Content-Length: 0x2'], 'content-length'],
    ['fractional', ['Content-Length: 2.0'], 'content-length'],
    ['two numbers', ['Content-Length: 2, 2'], 'content-length'],
    ['two numbers over a fold', ['Content-Length: 2\r\n 0'], 'content-length'],
    ['larger than a message may be', ['Content-Length: 32768'], 'content-length'],
    ['one that wraps 32 bits', ['Content-Length: 4294967298'], 'content-length'],
    ['one that wraps 64 bits', ['Content-Length: 18446744073709551618'], 'content-length'],
    ['300 digits', [`Content-Length: ${'9'.repeat(300)}`], 'content-length'],
    ['repeated and different', ['Content-Length: 2', 'Content-Length: 0'], 'repeated-header'],
    ['repeated and equal', ['Content-Length: 2', 'Content-Length: 2'], 'repeated-header'],
    ['long and short', ['Content-Length: 0', 'l: 2'], 'repeated-header'],
  ])('%s: the end cannot be told, and nothing is taken after it', (_, lines, problem) => {
    const head = withLength(...lines)
    const framer = new StreamFramer(limits)
    const expected = [message(invite()), `unframed ${problem} ${head.toString('latin1')}`]
    expect(told(frame([Buffer.concat([invite(), head, invite(), invite()])], framer))).toEqual(expected)
    expect(framer.push(invite())).toEqual([])
    expect(framer.isPartial).toBe(false)
  })
})

describe('lines that two readers may take differently', () => {
  it.each([
    ['a line feed alone', 'X: a\nContent-Length: 2', 'line-end'],
    ['a carriage return alone', 'X: a\rContent-Length: 2', 'line-end'],
    ['a name that is none', 'Content-Length\0: 2', 'header-line'],
    ['a line without colon', 'Content-Length 2', 'header-line'],
    ['a line that is too long', `X: ${'x'.repeat(5_000)}`, 'header-size'],
  ])('end the stream: %s', (_, line, problem) => {
    const head = withLength(line, 'Content-Length: 0')
    expect(told(frame([head, invite()]))).toEqual([`unframed ${problem} ${head.toString('latin1')}`])
  })

  it.each(['A', 'Content-Length: 5', '\r\nX: y'])(
    'end the stream: a line feed alone and %j behind the start line',
    (next) => {
      const head = octets(`OPTIONS sip:x SIP/2.0\n${next}`, 'Content-Length: 0', '', '')
      expect(told(frame([head, invite()]))).toEqual([`unframed line-end ${head.toString('latin1')}`])
    },
  )
})

describe('a header section', () => {
  const endless = Buffer.from(`OPTIONS sip:x SIP/2.0\r\n${'X: y\r\n'.repeat(20_000)}`)

  it('that does not end within the limit ends the stream', () => {
    const expected = [`unframed no-end-of-headers ${endless.toString('latin1', 0, limits.buffered)}`]
    expect(told(frame([endless]))).toEqual(expected)
    expect(told(frame([endless.subarray(0, limits.buffered)]))).toEqual([])
    expect(told(frame([endless.subarray(0, limits.buffered + 1)]))).toEqual(expected)
  })

  it('with too many lines ends the stream', () => {
    const head = withLength(...Array.from({ length: 129 }, () => 'X: y'), 'Content-Length: 0')
    expect(told(frame([head]))).toEqual([`unframed header-count ${head.toString('latin1')}`])
  })
})

describe('octets handed out', () => {
  it('are not written again', () => {
    const framer = new StreamFramer(limits)
    const [first, second] = [invite({ Subject: 'one' }), invite({ Subject: 'two' })]
    const stream = Buffer.concat([first, second])
    const framed = frame([stream.subarray(0, 9), stream.subarray(9, -9), stream.subarray(-9)], framer)
    expect(told(framed)).toEqual([first, second].map(message))
  })

  it('do not keep a whole read alive', () => {
    const small = withLength('Content-Length: 0')
    const read = Buffer.concat(Array.from({ length: 4_000 }, () => small))
    for (const one of frame([read])) {
      expect(one.kind === 'message' && one.bytes.buffer.byteLength).toBeLessThanOrEqual(Buffer.poolSize)
    }
  })
})

/** Anything that may stand in a stream: messages, line ends, heads that mislead, noise. */
const piece = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(invite(), answer(180).bytes, withLength('l: 0')) },
  { weight: 2, arbitrary: fc.constantFrom(crlf, Buffer.from('\r\n\r\n')) },
  fc.array(fc.constantFrom('\r', '\n', '\r\n', ' ', ':', 'l', 'Content-Length', '0', '5', 'x', '\0')).map((texts) => {
    const head = invite({ 'Content-Length': '' }).toString('latin1').slice(0, -6)
    return Buffer.from(`${head}${texts.join('')}\r\n\r\n`, 'latin1')
  }),
  fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes)),
)
const stream = fc.array(piece, { maxLength: 8 }).map((pieces) => Buffer.concat(pieces))

function split(bytes: Buffer, places: readonly number[]): Buffer[] {
  const stops = places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b)
  return [0, ...stops].map((from, i) => bytes.subarray(from, stops[i] ?? bytes.length))
}

describe('whatever comes', () => {
  it('means the same in any split', () => {
    const property = fc.property(stream, fc.array(fc.nat(5_000), { maxLength: 12 }), (bytes, places) => {
      expect(told(frame(split(bytes, places)))).toEqual(told(frame([bytes])))
    })
    fc.assert(property, { numRuns: 500 })
  })

  it('is cut exactly where scan sees the message end, and nothing is lost or made up', () => {
    const property = fc.property(stream, (bytes) => {
      let at = 0
      for (const one of frame([bytes])) {
        if (one.kind === 'ping') continue
        at = bytes.indexOf(one.bytes, at)
        expect(at).toBeGreaterThanOrEqual(0)
        at += one.bytes.length
        if (one.kind === 'unframed') continue
        const scanned = scan(one.bytes)
        expect(scanned.kind).not.toBe('keep-alive')
        if (scanned.kind !== 'malformed' && scanned.kind !== 'keep-alive') expect(scanned.bytes).toEqual(one.bytes)
        if (scanned.kind === 'malformed') expect(scanned.problem).not.toMatch(/content-length|line-end|repeated-header/)
      }
    })
    fc.assert(property, { numRuns: 500 })
  })
})
