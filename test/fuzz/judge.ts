import type { SipRequest, SipResponse } from '@siplb/sip'
import { linesNamed, must, mustBeOneMessage, nameOf, readPlainly, valueOf } from './plain.ts'

/** What every message that is taken must be, whatever was sent: read by lines, beside the product's reader. */
export function judgeTaken(message: SipRequest | SipResponse, bytes: Buffer): void {
  const plain = readPlainly(bytes)
  mustBeOneMessage(plain)
  const count = (name: string) => linesNamed(plain, name).length
  for (const name of ['from', 'to', 'call-id', 'cseq']) must(count(name) === 1, `there is one ${name}`)
  must(count('via') > 0, 'there is a Via')
  must(count('max-forwards') <= 1, 'there is no second Max-Forwards')
  must(linesNamed(plain, 'call-id').map(valueOf)[0] === message.callId, 'the Call-ID is what stands there')
  must(message.headersEnd === bytes.indexOf('\r\n\r\n') + 2, 'the head ends at the first empty line')
  must(message.lines.length === plain.lines.length, 'each line is one')
  judgeLength(message, plain.body.length, linesNamed(plain, 'content-length').map(valueOf))
}

// Two lengths, or one that two readers could take for two numbers, is how a second message is smuggled in.
function judgeLength(message: SipRequest | SipResponse, available: number, values: readonly string[]): void {
  must(values.length <= 1, 'there is no second Content-Length')
  const [value] = values
  const length = message.bytes.length - message.bodyStart
  if (value === undefined) return must(length === available, 'without a Content-Length the body is what came')
  must(/^\d+$/.test(value), 'the Content-Length is digits')
  must(BigInt(value) === BigInt(length) && length <= available, 'the body is as long as its Content-Length')
}

/**
 * Every header line that was not to be changed is there, octet for octet and in order, and so is the body. `added` are
 * our own lines, each to be found once; `changed` says which of the lines that came (by its place) were to be changed or taken away.
 */
export function judgeKept(
  before: Buffer,
  after: Buffer,
  added: readonly string[],
  changed: (line: string, place: number) => boolean,
): void {
  const old = readPlainly(before)
  const now = readPlainly(after)
  mustBeOneMessage(now)
  must(now.body === old.body, 'the body is octet for octet the same')
  const left = [...now.lines]
  for (const line of added) {
    const at = left.indexOf(line)
    must(at >= 0, `our own line is there: ${line}`)
    left.splice(at, 1)
  }
  const names = new Set(old.lines.filter(changed).map(nameOf))
  const kept = old.lines.filter((line, place) => !changed(line, place))
  let at = 0
  for (const line of left) {
    if (line === kept[at]) at++
    else must(names.has(nameOf(line)), `no line came up that nobody wrote: ${line}`)
  }
  must(at === kept.length, `this line is still there, and in its place: ${kept[at]}`)
}
