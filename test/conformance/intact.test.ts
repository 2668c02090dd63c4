import { describe, expect, it } from 'vitest'
import { changesOf } from './intact.ts'

const octets = (...lines: string[]) => Buffer.from(lines.join('\r\n'), 'latin1')

const sent = octets(
  'MESSAGE sip:bob@example.com SIP/2.0',
  'v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;rport',
  'Max-Forwards: 70',
  'Subject : folded',
  '  line',
  'l: 5',
  '',
  'octetbehind',
)

const passed = (changed: Readonly<Record<string, string>> = {}) => {
  const text = [
    'MESSAGE sip:bob@example.com SIP/2.0',
    'Via: SIP/2.0/UDP lb;branch=z9hG4bK2',
    'Record-Route: <sip:lb;lr>',
    'v: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK1;rport=5070;received=127.0.0.1',
    'Max-Forwards: 69',
    'Subject : folded',
    '  line',
    'l: 5',
    '',
    'octet',
  ].join('\r\n')
  return octets(Object.entries(changed).reduce((all, [from, to]) => all.replace(from, to), text))
}

describe('what was changed on the way', () => {
  it('is nothing where a proxy did what it is told to', () => {
    expect(changesOf(sent, passed())).toEqual([])
  })

  it.each([
    ['another case of letters', { 'Subject :': 'subject :' }],
    ['a fold that was undone', { 'folded\r\n  line': 'folded line' }],
    ['a line that was lost', { 'Subject : folded\r\n  line\r\n': '' }],
    ['a line that was added', { 'l: 5': 'X-New: 1\r\nl: 5' }],
    ['lines in another order', { 'Subject : folded\r\n  line\r\nl: 5': 'l: 5\r\nSubject : folded\r\n  line' }],
    ['another Request-URI', { 'bob@': 'alice@' }],
    ['a body with octets more', { octet: 'octetbehind' }],
    ['Max-Forwards that was left as it was', { 'Max-Forwards: 69': 'Max-Forwards: 70' }],
    ['Max-Forwards that is gone', { 'Max-Forwards: 69\r\n': '' }],
    ['a Via of somebody else', { 'branch=z9hG4bK1': 'branch=z9hG4bK9' }],
    ['a value in another notation', { 'l: 5': 'Content-Length: 5' }],
  ])('is %s', (_, changed) => {
    expect(changesOf(sent, passed(changed))).not.toEqual([])
  })

  it('is not Max-Forwards of 70 where there was none', () => {
    const without = octets(
      ...sent
        .toString('latin1')
        .split('\r\n')
        .filter((line) => !line.startsWith('Max')),
    )
    expect(changesOf(without, passed({ 'Max-Forwards: 69': 'Max-Forwards: 70' }))).toEqual([])
  })
})
