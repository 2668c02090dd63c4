import { readFileSync, readdirSync } from 'node:fs'
import { tagHash, writeToken } from '../../services/ingress/src/domain/route-token.ts'
import { createTokenKey } from '../../services/ingress/src/shell/token-keys.ts'

const data = new URL('../../libs/sip/test/data/', import.meta.url)

export const tokenKey = createTokenKey('a secret of thirty-two characters')

/** All that is kept as a file: the torture messages of the RFCs and what was found before. */
export function kept(): { name: string; bytes: Buffer }[] {
  return readdirSync(data, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.dat'))
    .toSorted()
    .map((name) => ({ name, bytes: readFileSync(new URL(name, data)) }))
}

const callId = 'a84b4c76e66710@192.0.2.1'
const sdp = 'v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n'

/** Messages to start from, as text with one character per octet. */
export const seeds: readonly string[] = [...kept().map(({ bytes }) => bytes.toString('latin1')), ...ordinary()]

function ordinary(): string[] {
  return [
    message(
      'INVITE sip:bob@example.com SIP/2.0',
      ['Via: SIP/2.0/UDP 192.0.2.1:5070;rport;branch=z9hG4bK776asdhds'],
      sdp,
    ),
    message('OPTIONS sip:lb.example.com SIP/2.0', ['v: SIP/2.0/TCP h1;branch=z9hG4bK1 , SIP/2.0/TLS h2;a="x,y"']),
    message('REGISTER sips:example.com SIP/2.0', [
      'Via: SIP/2.0/WSS df7jal23ls0d.invalid;branch=z9hG4bK56sdasks',
      'Supported: path, outbound, gruu',
      'Path: <sip:p1.example.com;lr>,<sip:p2.example.com;lr>',
    ]),
    message('BYE sip:bob@192.0.2.4 SIP/2.0', [
      'Via: SIP/2.0/UDP 192.0.2.1;received=10.1.1.1;rport=9;branch=z9hG4bK2',
      `Route: <sip:${token()}@lb.example.com;lr>, "Next \\" one" <sip:px.example.com;lr;x=y>;z="1,2"`,
      'Route: <sip:last.example.com;lr>',
      'Record-Route: <sip:other.example.com;lr>',
    ]),
    message(`BYE sip:${token()}@lb.example.com SIP/2.0`, [
      'Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK3',
      'Route: <sip:one.example.com;lr>,\r\n <sip:bob@192.0.2.4>',
    ]),
    message(
      'MESSAGE sip:bob@example.com SIP/2.0',
      ['Via: SIP/2.0/UDP h;branch=z9hG4bK4', 'Proxy-Require: foo, bar'],
      '\0\xff\r\n\r\n',
    ),
    message(
      'SIP/2.0 200 OK',
      [
        'Via: SIP/2.0/UDP lb.example.com;rport=5060;branch=z9hG4bK.sl.lb1.0.x;oc=20;oc-algo="loss";oc-validity=500;oc-seq=1.1',
        'Via: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK776asdhds;oc=5;oc-seq=3;received=192.0.2.7',
        `Record-Route: <sip:${token()}@lb.example.com;lr>`,
      ],
      sdp,
    ),
    message('SIP/2.0 407 Proxy Authentication Required', [
      'Via: SIP/2.0/UDP lb;branch=z9hG4bK.sl.lb1.0.x, SIP/2.0/TCP h1;oc, SIP/2.0/UDP h2;oc="7"',
      'Proxy-Authenticate: Digest realm="a,b", nonce="c\\"d", algorithm=MD5',
    ]),
    message('SIP/2.0 503 Service Unavailable', [
      'v:SIP/2.0/UDP a;branch=z9hG4bK5',
      'V :SIP/2.0/UDP b',
      'Retry-After: 18 (later);duration=5',
    ]),
  ]
}

function token(): string {
  const parts = {
    kind: 'inbound',
    pool: 'default',
    proxy: 'px1',
    callerTag: tagHash('19283'),
    instance: 'lb1',
    worker: 0,
    flow: '',
  } as const
  return writeToken(parts, callId, tokenKey)
}

function message(startLine: string, lines: readonly string[], body = ''): string {
  const method = startLine.startsWith('SIP/') ? 'INVITE' : startLine.split(' ')[0]
  return [
    startLine,
    ...lines,
    'Max-Forwards: 70',
    'From: "Alice, \\" A" <sip:alice@example.com>;tag=19283',
    'To: Bob <sip:bob@example.com>' + (startLine.startsWith('BYE') ? ';tag=b' : ''),
    `Call-ID: ${callId}`,
    `CSeq: 314159 ${method}`,
    'm: <sip:alice@192.0.2.1:5070>',
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n')
}

/** By the right key, so that it has to be checked, for another call. */
export const forgedToken = writeToken(
  { kind: 'inbound', pool: 'p', proxy: 'p', callerTag: 0, instance: 'i', worker: 0, flow: '' },
  'another call',
  tokenKey,
)
