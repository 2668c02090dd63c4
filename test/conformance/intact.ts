import { readRaw, valueOf, type RawField, type RawMessage } from './raw-message.ts'

/** What a proxy adds of its own (RFC 3261, 16.6; RFC 3327), above or below what was there. */
const added = ['via', 'record-route', 'path', 'max-forwards', 'content-length']

/**
 * What was changed in a request on its way through a proxy, beyond what RFC 3261, 16.6 tells it to: a Via of its own, `received` and
 * `rport` in the one below, Max-Forwards, Record-Route or Path. Empty when all else came through octet for octet.
 */
export function changesOf(sent: Buffer, arrived: Buffer): string[] {
  const [before, after] = [readRaw(sent), readRaw(arrived)]
  const changes = before.startLine === after.startLine ? [] : [`start line: ${after.startLine}`]
  if (bodyOf(before) !== after.body) changes.push('body')
  return [...changes, ...maxForwardsChanges(before, after), ...fieldChanges(before.fields, after.fields)]
}

/** What is behind Content-Length in a datagram is no part of the message (18.3). */
function bodyOf(message: RawMessage): string {
  const length = Number.parseInt(valueOf(message, 'content-length') ?? '', 10)
  return Number.isNaN(length) ? message.body : message.body.slice(0, length)
}

function maxForwardsChanges(before: RawMessage, after: RawMessage): string[] {
  const [was, is] = [before, after].map((message) => valueOf(message, 'max-forwards'))
  // 16.6 step 3: one less; an element may set a bound of its own to what is too many.
  const isRight = Number(is) >= 0 && Number(is) <= (was === undefined ? 70 : Number(was) - 1)
  return isRight ? [] : [`Max-Forwards: ${was} became ${is}`]
}

function fieldChanges(before: readonly RawField[], after: readonly RawField[]): string[] {
  const left = [...after]
  const lost = before.filter((field) => {
    const at = left.findIndex((one) => isSame(field, one))
    if (at >= 0) left.splice(0, at + 1, ...left.slice(0, at).filter((one) => !added.includes(one.name)))
    return at < 0
  })
  const grown = left.filter(({ name }) => !added.includes(name))
  return [...lost.map(({ text }) => `without ${text}`), ...grown.map(({ text }) => `with ${text}`)]
}

function isSame(sent: RawField, arrived: RawField): boolean {
  if (sent.name !== arrived.name) return false
  if (sent.name === 'max-forwards') return true
  if (sent.name !== 'via') return sent.text === arrived.text
  return unmarked(sent.text) === unmarked(arrived.text)
}

function unmarked(via: string): string {
  return via.replace(/;received=[^;,\s]+/, '').replace(/;rport(=\d+)?/, '')
}
