import { defaultLimits, scan } from '@siplb/sip'
import { StreamFramer, type Framed } from '../../libs/sip/src/framing/stream-framer.ts'
import type { Chance } from './chance.ts'
import { linesNamed, must, readPlainly, valueOf } from './plain.ts'

/** A few messages in a row, some with a Content-Length that is not theirs. */
export function streamOf(messages: readonly Buffer[], chance: Chance): Buffer {
  return Buffer.concat(messages.flatMap((message) => [withLength(message, chance), between(chance)]))
}

const between = (chance: Chance): Buffer =>
  Buffer.from(chance.one(['', '', '', '\r\n', '\r\n\r\n', '\r\n\r\n\r\n', '\r', '\n']), 'latin1')

const otherLengths = [
  '',
  '-1',
  '+1',
  '0x4',
  '4 4',
  '4,4',
  '4294967300',
  '18446744073709551620',
  '9'.repeat(30),
  '1e1',
  '４',
]

/** Most of them right: a stream is over where one is not. */
function withLength(message: Buffer, chance: Chance): Buffer {
  const text = message.toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) return message
  const bodyLength = text.length - end - 4
  const near = String(Math.max(0, bodyLength + chance.below(5) - 2))
  const value = chance.is(0.8) ? String(bodyLength) : chance.is(0.5) ? near : chance.one(otherLengths)
  const name = chance.one(['Content-Length', 'l', 'CONTENT-LENGTH ', 'Content-Length:\r\n '])
  const line = name.endsWith(' ') && name.includes(':') ? `${name}${value}` : `${name}: ${value}`
  const head = text
    .slice(0, end)
    .replaceAll(/\r\n(content-length|l)[ \t]*:[^\r]*/gi, () => (chance.is(0.97) ? '' : '\r\nl: 3'))
  return Buffer.from(`${head}\r\n${line}${text.slice(end)}`, 'latin1')
}

/**
 * However a stream is split, the same is cut from it; and what is cut for a message is one, to its last octet, to everyone
 * who reads it: otherwise the body of one could become a request of its own.
 */
export function examineStream(stream: Buffer, chance: Chance): number {
  const whole = framed([stream])
  must(textOf(framed(split(stream, chance))) === textOf(whole), 'however a stream is split, the same is cut from it')
  let at = 0
  for (const one of whole) {
    if (one.kind === 'ping') continue
    at = judgePlace(stream, one.bytes, at)
    if (one.kind === 'message') judgePiece(one.bytes)
  }
  const broken = whole.findIndex(({ kind }) => kind === 'unframed')
  must(broken < 0 || broken === whole.length - 1, 'nothing is cut from a stream behind what cannot be framed')
  return whole.length
}

const limits = { message: defaultLimits, buffered: 32_768 }

function framed(chunks: readonly Buffer[]): Framed[] {
  const framer = new StreamFramer(limits)
  // A socket uses its memory again.
  return chunks.flatMap((chunk) => framer.push(Buffer.from(chunk)))
}

function split(stream: Buffer, chance: Chance): Buffer[] {
  const most = chance.one([1, 3, 40, 1_500, 20_000])
  const chunks: Buffer[] = []
  for (let at = 0; at < stream.length;) {
    const end = at + 1 + chance.below(most)
    chunks.push(stream.subarray(at, end))
    at = end
  }
  return chunks
}

/** Where a stream breaks, how much of the message is told depends on what had come. */
const textOf = (all: readonly Framed[]): string =>
  all.map((one) => (one.kind === 'message' ? `message ${one.bytes.toString('latin1')}` : one.kind)).join('\n')

/** What is cut stands in the stream, behind what was cut before, with line ends alone between them. */
function judgePlace(stream: Buffer, piece: Buffer, from: number): number {
  const at = stream.indexOf(piece, from)
  must(at >= 0 && /^(\r\n)*$/.test(stream.toString('latin1', from, at)), 'no octet of a stream is left out')
  return at + piece.length
}

function judgePiece(piece: Buffer): void {
  const plain = readPlainly(piece)
  const lengths = linesNamed(plain, 'content-length').map(valueOf)
  must(lengths.length === 1 && /^\d+$/.test(lengths[0] ?? ''), 'what is cut has one Content-Length')
  must(BigInt(lengths[0] ?? '') === BigInt(plain.body.length), 'what is cut is as long as it says')
  const message = scan(piece)
  if (message.kind === 'request' || message.kind === 'response')
    must(message.bytes.length === piece.length, 'and scan takes all of it')
  if (message.kind === 'malformed')
    must(
      !['content-length', 'no-end-of-headers', 'line-end'].includes(message.problem),
      `framing and scan agree, but for ${message.problem}`,
    )
}
