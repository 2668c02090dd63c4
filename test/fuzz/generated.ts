import fc from 'fast-check'

/** Messages by the grammar, and a little beside it: what a mutator of known messages would hardly come upon. */

const pieces = <T>(...values: T[]) => fc.constantFrom(...values)
const blank = pieces('', ' ', '\t', '  ', '\r\n ', ' \r\n\t')
const word = fc.stringMatching(/^[A-Za-z0-9.!%*_+`'~-]{1,14}$/)
const quoted = fc
  .array(pieces('a', ' ', ',', ';', '<', '>', '\\"', '\\\\', ':', '\xe9', '\\\0', '@'), { maxLength: 12 })
  .map((inside) => `"${inside.join('')}"`)
const host = pieces('example.com', '192.0.2.9', '[2001:db8::1]', 'h_1', 'EXAMPLE', 'lb.example.com', 'a..b', '[::', '')
const port = pieces('', '', ':5060', ':0', ':65535', ':65536', ' : 5070', ':')
const param = fc.oneof(
  fc.tuple(word, fc.oneof(word, quoted)).map(([name, value]) => `;${name}=${value}`),
  pieces(
    ';lr',
    ';rport',
    ';rport=1',
    ';received=1.2.3.4',
    ';branch=z9hG4bKq',
    ';tag=t',
    ';maddr=h',
    ';maddr=lb9',
    ';oc',
    ';oc=3',
    ';oc-seq=1.2',
    ';transport=tcp',
  ),
  fc.tuple(blank, blank, word, word).map(([a, b, name, value]) => `${a};${b}${name}${b}=${a}${value}`),
)
const params = fc.array(param, { maxLength: 4 }).map((all) => all.join(''))
const uri = fc
  .tuple(
    pieces('sip:', 'sips:', 'SIP:', 'tel:', 'urn:', 'http://', ''),
    pieces('', 'bob@', 'bo%62:pw@', 'a;b=c@', '@'),
    host,
    port,
    params,
    pieces('', '', '?a=b'),
  )
  .map((all) => all.join(''))
const nameAddr = fc.oneof(
  fc
    .tuple(fc.oneof(quoted, word, fc.constant('')), blank, uri, params)
    .map(([name, space, inside, tail]) => `${name}${space}<${inside}>${tail}`),
  uri,
)
const via = fc
  .tuple(blank, pieces('UDP', 'TCP', 'tls', 'WS', 'X'), host, port, params)
  .map(
    ([space, transport, sentBy, number, tail]) =>
      `SIP/2.0/${transport} ${space}${sentBy}${number}${tail};branch=z9hG4bKg`,
  )
const listOf = (value: fc.Arbitrary<string>) =>
  fc
    .tuple(fc.array(value, { minLength: 1, maxLength: 4 }), pieces(',', ' , ', ',\r\n ', ',,'))
    .map(([all, comma]) => all.join(comma))
const cseq = pieces('1', '0', '2147483647', '2147483648', '007').chain((number) =>
  methods.map((method) => `${number} ${method}`),
)
const methods = pieces('INVITE', 'INVITE', 'ACK', 'CANCEL', 'BYE', 'OPTIONS', 'REGISTER', 'SUBSCRIBE', 'x.y', 'invite')
const value = fc.oneof(word, quoted, nameAddr, fc.constant(''))

const line = fc
  .oneof(
    { weight: 3, arbitrary: fc.tuple(pieces('Via', 'v', 'VIA'), listOf(via)) },
    { weight: 2, arbitrary: fc.tuple(pieces('Route', 'Record-Route', 'Contact', 'm', 'Path'), listOf(nameAddr)) },
    {
      weight: 2,
      arbitrary: fc.tuple(
        pieces('Proxy-Require', 'Supported', 'Require', 'Subject', '__proto__', 'X-a'),
        listOf(value),
      ),
    },
    {
      weight: 1,
      arbitrary: fc.tuple(pieces('From', 'To', 'Call-ID', 'CSeq', 'Content-Length', 'Max-Forwards'), value),
    },
  )
  .chain(([name, text]) =>
    fc.tuple(pieces('', '', ' ', '\t'), blank, blank).map(([a, b, c]) => `${name}${a}:${b}${text}${c}`),
  )

const singles = fc
  .tuple(nameAddr, nameAddr, word, cseq, pieces('', '0', '70', '255', '256'))
  .map(([from, to, callId, sequence, hops]) => [
    `From: ${from}`,
    `t: ${to}`,
    `Call-ID: ${callId}`,
    `CSeq: ${sequence}`,
    ...(hops === '' ? [] : [`Max-Forwards: ${hops}`]),
  ])

/** The method of the start line is mostly that of the CSeq, and the URI one that is taken. */
export const generatedMessage: fc.Arbitrary<string> = fc
  .record({
    singles,
    lines: fc.array(line, { maxLength: 8 }),
    top: via,
    uri: fc.oneof({ weight: 3, arbitrary: fc.constant('sip:bob@example.com') }, { weight: 1, arbitrary: uri }),
    status: pieces(0, 0, 100, 180, 200, 404, 503, 699, 99, 700),
    body: fc.oneof(fc.constant(''), fc.string({ unit: 'binary-ascii', maxLength: 60 })),
    split: fc.nat(8),
  })
  .map(({ singles: one, lines, top, uri: target, status, body, split }) => {
    const method = one[3]?.split(' ')[2] ?? 'INVITE'
    const start = status === 0 ? `${method} ${target} SIP/2.0` : `SIP/2.0 ${status} ${body.replaceAll(/[\r\n]/g, ' ')}`
    return [start, `Via: ${top}`, ...lines.slice(0, split), ...one, ...lines.slice(split), '', body].join('\r\n')
  })
