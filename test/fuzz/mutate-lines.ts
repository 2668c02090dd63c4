import type { Chance } from './chance.ts'
import type { Mutation } from './mutate-octets.ts'

/** Changes that know of header lines, so that what comes out is often still a message. */

const forms = [
  ['Via', 'v'],
  ['From', 'f'],
  ['To', 't'],
  ['Call-ID', 'i'],
  ['Contact', 'm'],
  ['Content-Length', 'l'],
  ['Content-Type', 'c'],
  ['Supported', 'k'],
  ['Session-Expires', 'x'],
] as const

const added = [
  ...[
    'Via: SIP/2.0/UDP h9;branch=z9hG4bK9',
    'v: SIP/2.0/TCP [2001:db8::1]:5061;rport;branch=z9hG4bK8',
    'Via: x',
    'Via:',
  ],
  ...[
    'Content-Length: 0',
    'l: 5',
    'Content-Length: -1',
    'Content-Length : 1',
    'Content-Length: 1 1',
    'Content-Length: 4294967296',
  ],
  ...[
    'f: <sip:x@y>;tag=1',
    'To: sip:c@d;tag=2',
    'i: other',
    'CSeq: 4294967295 INVITE',
    'CSeq: 1 BYE',
    'Max-Forwards: 0',
    'Max-Forwards: 256',
  ],
  ...[
    'Route: <sip:r1;lr>',
    'Route: <sip:r1;lr>,<sip:r2>',
    'Route: r3',
    'Record-Route: <sip:rr;lr>',
    'Path: <sip:p;lr>',
  ],
  ...[
    'Proxy-Require: a',
    'Proxy-Require: a\0b',
    'Proxy-Require: a,\r\n b',
    'Require: 100rel',
    'Retry-After: 99999999999',
  ],
  ...[
    '__proto__: 1',
    'constructor: 2',
    'toString:',
    'Subject:',
    'X:\r\n \r\n',
    ': nameless',
    ' folded',
    'No colon',
    'X Y: 1',
    'X\0: 1',
    '\xff: 1',
  ],
  ...[
    'Timestamp: 1',
    'Resource-Priority: esnet.0',
    'Session-Expires: 9;refresher=uac',
    'Expires: -1',
    'Reason: SIP;cause=200;text="a,b"',
  ],
]

const params = [
  ';a=b',
  ';a',
  ';a="\\"\\\\,;"',
  ' ; a = b',
  ';lr',
  ';tag=x',
  ';branch=z9hG4bKx',
  ';rport',
  ';received=h',
  ';oc=1',
  ';=',
  ';a=',
  ';"a"',
]

interface Parts {
  readonly start: string
  readonly lines: string[]
  readonly rest: string
}

function apart(text: string): Parts {
  const end = text.indexOf('\r\n\r\n')
  const head = end < 0 ? text : text.slice(0, end)
  const [start = '', ...lines] = head.split(/\r\n(?![ \t])/)
  return { start, lines, rest: end < 0 ? '' : text.slice(end) }
}

const whole = ({ start, lines, rest }: Parts): string => [start, ...lines].join('\r\n') + rest

/** A change of the list of lines, in place. */
const onLines =
  (change: (lines: string[], chance: Chance) => void): Mutation =>
  (text, chance) => {
    const parts = apart(text)
    if (parts.lines.length > 0) change(parts.lines, chance)
    return whole(parts)
  }

/** A change of one line. */
const onLine = (change: (line: string, chance: Chance) => string): Mutation =>
  onLines((lines, chance) => {
    const at = chance.below(lines.length)
    lines[at] = change(lines[at] ?? '', chance)
  })

const duplicate = onLines((lines, chance) => {
  const copies = Array.from({ length: chance.length(150) }, () => '').fill(chance.one(lines))
  lines.splice(chance.below(lines.length + 1), 0, ...copies)
})
const move = onLines((lines, chance) => {
  lines.splice(chance.below(lines.length), 0, ...lines.splice(chance.below(lines.length), 1))
})
const remove = onLines((lines, chance) => void lines.splice(chance.below(lines.length), 1))
const add = onLines((lines, chance) => void lines.splice(chance.below(lines.length + 1), 0, chance.one(added)))

const changeForm = onLine((line, chance) => {
  const name = line.split(':')[0] ?? ''
  const row = forms.find((form) => form.some((one) => one.toLowerCase() === name.trim().toLowerCase()))
  return row === undefined ? line : chance.one(row) + line.slice(name.length)
})
const changeCase = onLine((line, chance) => {
  const end = line.indexOf(':')
  return (chance.is(0.5) ? line.slice(0, end).toUpperCase() : line.slice(0, end).toLowerCase()) + line.slice(end)
})
const spaceBeforeColon = onLine((line, chance) => line.replace(':', `${chance.one([' ', '\t', '  \t', '\r\n '])}:`))
const fold = onLine((line, chance) =>
  line.replaceAll(' ', (blank) => (chance.is(0.5) ? chance.one(['\r\n ', ' \r\n\t', '\t']) : blank)),
)
const addParams = onLine((line, chance) => line + chance.one(params).repeat(chance.length(800)))
const repeatValue = onLine((line, chance) => line + `,${line.slice(line.indexOf(':') + 1)}`.repeat(chance.length(60)))
const emptyValue = onLine((line) => line.slice(0, line.indexOf(':') + 1))

const lineEnds: Mutation = (text, chance) => {
  const other = chance.one(['\n', '\r', '\n\r', '\r\r\n', '\r\n\r\n', '\0\r\n', ' \r\n'])
  const share = chance.one([1, 0.1])
  return text.replaceAll('\r\n', (end) => (chance.is(share) ? other : end))
}

const fill: Mutation = (text, chance) => {
  const parts = apart(text)
  const line = chance.one(parts.lines.length > 0 && chance.is(0.5) ? parts.lines : added)
  const wanted = chance.one([16_384, 16_384, 16_300, 65_507])
  while (text.length + parts.lines.length * line.length < wanted && parts.lines.length < 400) parts.lines.push(line)
  return whole(parts)
}

const addBody: Mutation = (text, chance) => text + chance.one(['\r\n', '\0', text, 'x'.repeat(chance.length(20_000))])

export const lineMutations: readonly Mutation[] = [
  ...[duplicate, move, remove, add, add, add, changeForm, changeCase, spaceBeforeColon, fold, addParams, addParams],
  ...[repeatValue, emptyValue, lineEnds, fill, addBody],
]
