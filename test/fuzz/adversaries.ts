import type { Chance } from './chance.ts'
import { forgedToken } from './seeds.ts'

/**
 * Messages that are built to be slow: as many lines as fit, each as long as it may be, all of one thing that a reader might look
 * at more than once.
 */

/** How a line of this header begins well, so that its reader goes on to what follows. */
const heads = [
  ...[
    'Via: SIP/2.0/UDP h;branch=z9hG4bK1',
    'Via: SIP/2.0/UDP h',
    'Via: ',
    'Route: <sip:a;lr>',
    'Route: ',
    'Route: <sip:a',
    'Route: <sip:lb;lr>',
    'Record-Route: ',
  ],
  ...[
    'From: "',
    'From: <sip:a@b>;tag=1',
    'To: <sip:a@b',
    'To: a',
    'Contact: <sip:a@b>',
    'Contact: "',
    'Proxy-Require: a',
    'Require: a',
  ],
  ...[
    'Call-ID: a',
    'CSeq: 1',
    'Content-Length: 0',
    'Max-Forwards: 7',
    'Supported: a',
    'Path: <sip:a>',
    'Reason: SIP',
    'Subject: ',
    'X',
    '',
  ],
  ...['Proxy-Authenticate: Digest a="', 'Retry-After: 1', 'Session-Expires: 9', 'Timestamp: 1', 'User-Agent: "'],
]

const elements = [
  `,<sip:${forgedToken}@lb;lr>`,
  ...[
    ',',
    ';',
    ';a',
    ';a=b',
    ';a="\\"\\""',
    ';a="',
    '"',
    '""',
    '\\',
    '\\"',
    '<',
    '>',
    '<>',
    '<sip:a>,',
    ',<sip:a;lr>',
    ',"a" <sip:a;lr>;b="c"',
  ],
  ...[
    '\r\n ',
    'a\r\n ',
    ',\r\n ',
    ' ',
    ' a',
    'a ',
    '\0',
    '\xff',
    '%41',
    '[',
    ']',
    ',SIP/2.0/UDP h',
    ',SIP/2.0/UDP h;oc=1',
    ', , SIP / 2.0 / UDP h : 1',
  ],
  ...[
    '9',
    '0',
    '=',
    '"a" ',
    '@',
    '?a=b&',
    '(',
    '()',
    ':',
    '/',
    ';tag=',
    ';oc=1;oc-seq=1.1',
    ';received',
    'sip:',
    '. ',
    '-',
    "'",
  ],
]

const LINE = 4_094

export function adversary(chance: Chance): string {
  const size = chance.one([16_384, 16_384, 8_192, 4_096])
  return slowMessage(
    chance.one(heads),
    chance.one(elements),
    size,
    chance.one([LINE, LINE, 1_000, 200, 120]),
    chance.one(['INVITE', 'INVITE', '200', 'uri']),
  )
}

/** `kind` says what it is that stands first: a request, a response, or a request whose Request-URI is the slow thing. */
function slowMessage(head: string, element: string, size: number, lineLength: number, kind: string): string {
  const line = (head + element.repeat(Math.max(1, Math.floor((lineLength - head.length) / element.length)))).slice(
    0,
    lineLength,
  )
  const uri = kind === 'uri' ? `sip:a@b${element.trim().repeat(LINE)}`.slice(0, LINE - 20) : 'sip:bob@example.com'
  const start = kind === '200' ? 'SIP/2.0 200 OK' : `INVITE ${uri} SIP/2.0`
  const name = head.slice(0, head.indexOf(':') + 1)
  const others = ordinary.filter((one) => name === '' || name === 'Via:' || !one.startsWith(name))
  const text = [start, ...others].join('\r\n')
  const count = Math.min(128 - others.length, Math.floor((size - text.length - 4) / (line.length + 2)))
  const isSingle = ['From:', 'To:', 'Call-ID:', 'CSeq:', 'Max-Forwards:', 'Content-Length:'].includes(name)
  return [text, ...Array.from({ length: isSingle ? 1 : Math.max(1, count) }, () => line), '', ''].join('\r\n')
}

const ordinary = [
  'Via: SIP/2.0/UDP h0;rport;branch=z9hG4bK0',
  'Max-Forwards: 70',
  'From: <sip:alice@example.com>;tag=1',
  'To: <sip:bob@example.com>',
  'Call-ID: i',
  'CSeq: 1 INVITE',
]

/** Each of them once, for a walk through all. */
export function* allAdversaries(size: number, lineLength = LINE): Generator<{ name: string; text: string }> {
  for (const head of heads)
    for (const element of elements)
      for (const kind of ['INVITE', '200'])
        yield {
          name: `${kind} ${head} ${JSON.stringify(element)}`,
          text: slowMessage(head, element, size, lineLength, kind),
        }
  for (const element of elements)
    yield { name: `uri ${element}`, text: slowMessage('X: ', element, size, lineLength, 'uri') }
}
