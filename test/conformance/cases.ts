import { readFileSync } from 'node:fs'

/** What an element does with a message: passes it on, says nothing, or answers with this status. */
export type Deed = 'forward' | 'silence' | number

export interface Case {
  readonly set: 'rfc4475' | 'rfc5118'
  readonly name: string
  readonly section: string
  readonly title: string
  readonly wanted: Deed
  /** What the RFC allows as well. */
  readonly alsoRight?: readonly Deed[]
  /** What is right as well where the message comes on a stream: there Content-Length says where it ends (RFC 3261, 18.3 and 20.14). */
  readonly onStream?: readonly Deed[]
  /** It follows a route set, or belongs to a dialog, that is not of the element: one that is no open relay refuses it. */
  readonly isForeign?: true
}

const foreign: readonly Deed[] = [481, 403, 404]

export function isRight(one: Case, deed: Deed, transport: 'udp' | 'tcp'): boolean {
  const allowed = [one.wanted, ...(one.alsoRight ?? []), ...(one.isForeign === true ? foreign : [])]
  return [...allowed, ...(transport === 'tcp' ? (one.onStream ?? []) : [])].includes(deed)
}

/**
 * The message as it is sent. Some have Call-ID and branch of another, and would be taken for a copy of it: each gets its own, where
 * there is one to change.
 */
export function octetsOf({ set, name }: Case): Buffer {
  const octets = readFileSync(new URL(`../../libs/sip/test/data/${set}/${name}.dat`, import.meta.url))
  const own = `${set}-${name}-`
  const text = octets.toString('latin1').replace(/^((?:Call-ID|i)\s*:\s*)(?=\S)/im, `$1${own}`)
  return Buffer.from(text.replace(/(?<=branch=z9hG4bK)(?=[a-z\d])/i, own), 'latin1')
}

/**
 * The messages of RFC 4475 and RFC 5118, and what their sections want of a proxy that is no registrar. A response belongs to no
 * transaction here, so a stateful proxy drops it (RFC 6026, 8.9).
 */
export const cases: readonly Case[] = [
  {
    set: 'rfc4475',
    name: 'wsinv',
    section: '3.1.1.1',
    title: 'A Short Tortuous INVITE',
    wanted: 'forward',
    isForeign: true,
  },
  { set: 'rfc4475', name: 'intmeth', section: '3.1.1.2', title: 'Wide Range of Valid Characters', wanted: 'forward' },
  {
    set: 'rfc4475',
    name: 'esc01',
    section: '3.1.1.3',
    title: 'Valid Use of the % Escaping Mechanism',
    wanted: 'forward',
  },
  { set: 'rfc4475', name: 'escnull', section: '3.1.1.4', title: 'Escaped Nulls in URIs', wanted: 'forward' },
  { set: 'rfc4475', name: 'esc02', section: '3.1.1.5', title: 'Use of % When It Is Not an Escape', wanted: 'forward' },
  {
    set: 'rfc4475',
    name: 'lwsdisp',
    section: '3.1.1.6',
    title: 'No LWS between Display Name and <',
    wanted: 'forward',
  },
  { set: 'rfc4475', name: 'longreq', section: '3.1.1.7', title: 'Long Values in Header Fields', wanted: 'forward' },
  {
    set: 'rfc4475',
    name: 'dblreq',
    section: '3.1.1.8',
    title: 'Extra Trailing Octets in a UDP Datagram',
    wanted: 'forward',
  },
  {
    set: 'rfc4475',
    name: 'semiuri',
    section: '3.1.1.9',
    title: 'Semicolon-Separated Parameters in URI User Part',
    wanted: 'forward',
  },
  {
    set: 'rfc4475',
    name: 'transports',
    section: '3.1.1.10',
    title: 'Varied and Unknown Transport Types',
    wanted: 'forward',
  },
  {
    set: 'rfc4475',
    name: 'mpart01',
    section: '3.1.1.11',
    title: 'Multipart MIME Message',
    wanted: 'forward',
    isForeign: true,
  },
  { set: 'rfc4475', name: 'unreason', section: '3.1.1.12', title: 'Unusual Reason Phrase', wanted: 'silence' },
  { set: 'rfc4475', name: 'noreason', section: '3.1.1.13', title: 'Empty Reason Phrase', wanted: 'silence' },
  {
    set: 'rfc4475',
    name: 'badinv01',
    section: '3.1.2.1',
    title: 'Extraneous Header Field Separators',
    wanted: 400,
    alsoRight: ['silence'],
  },
  {
    set: 'rfc4475',
    name: 'clerr',
    section: '3.1.2.2',
    title: 'Content-Length Larger Than Message',
    wanted: 400,
    onStream: ['silence'],
  },
  {
    set: 'rfc4475',
    name: 'ncl',
    section: '3.1.2.3',
    title: 'Negative Content-Length',
    wanted: 400,
    onStream: ['silence'],
  },
  {
    set: 'rfc4475',
    name: 'scalar02',
    section: '3.1.2.4',
    title: 'Request Scalar Fields with Overlarge Values',
    wanted: 400,
  },
  {
    set: 'rfc4475',
    name: 'scalarlg',
    section: '3.1.2.5',
    title: 'Response Scalar Fields with Overlarge Values',
    wanted: 'silence',
  },
  {
    set: 'rfc4475',
    name: 'quotbal',
    section: '3.1.2.6',
    title: 'Unterminated Quoted String in Display Name',
    wanted: 400,
  },
  { set: 'rfc4475', name: 'ltgtruri', section: '3.1.2.7', title: '<> Enclosing Request-URI', wanted: 400 },
  { set: 'rfc4475', name: 'lwsruri', section: '3.1.2.8', title: 'LWS within Request-URI', wanted: 400 },
  {
    set: 'rfc4475',
    name: 'lwsstart',
    section: '3.1.2.9',
    title: 'Multiple SP Separating Request-Line Elements',
    wanted: 400,
  },
  { set: 'rfc4475', name: 'trws', section: '3.1.2.10', title: 'SP Characters at End of Request-Line', wanted: 400 },
  { set: 'rfc4475', name: 'escruri', section: '3.1.2.11', title: 'Escaped Headers in SIP Request-URI', wanted: 400 },
  {
    set: 'rfc4475',
    name: 'baddate',
    section: '3.1.2.12',
    title: 'Invalid Time Zone in Date Header Field',
    wanted: 'forward',
    alsoRight: [400],
  },
  {
    set: 'rfc4475',
    name: 'regbadct',
    section: '3.1.2.13',
    title: 'Failure to Enclose name-addr URI in <>',
    wanted: 'forward',
    alsoRight: [400],
  },
  {
    set: 'rfc4475',
    name: 'badaspec',
    section: '3.1.2.14',
    title: 'Spaces within addr-spec',
    wanted: 400,
    alsoRight: ['forward'],
  },
  {
    set: 'rfc4475',
    name: 'baddn',
    section: '3.1.2.15',
    title: 'Non-token Characters in Display Name',
    wanted: 400,
    alsoRight: ['silence'],
  },
  { set: 'rfc4475', name: 'badvers', section: '3.1.2.16', title: 'Unknown Protocol Version', wanted: 505 },
  {
    set: 'rfc4475',
    name: 'mismatch01',
    section: '3.1.2.17',
    title: 'Start Line and CSeq Method Mismatch',
    wanted: 400,
  },
  {
    set: 'rfc4475',
    name: 'mismatch02',
    section: '3.1.2.18',
    title: 'Unknown Method with CSeq Method Mismatch',
    wanted: 400,
    alsoRight: [501],
  },
  { set: 'rfc4475', name: 'bigcode', section: '3.1.2.19', title: 'Overlarge Response Code', wanted: 'silence' },
  {
    set: 'rfc4475',
    name: 'badbranch',
    section: '3.2.1',
    title: 'Missing Transaction Identifier',
    wanted: 'forward',
    alsoRight: [400],
  },
  {
    set: 'rfc4475',
    name: 'insuf',
    section: '3.3.1',
    title: 'Missing Required Header Fields',
    wanted: 400,
    alsoRight: ['silence'],
  },
  { set: 'rfc4475', name: 'unkscm', section: '3.3.2', title: 'Request-URI with Unknown Scheme', wanted: 416 },
  {
    set: 'rfc4475',
    name: 'novelsc',
    section: '3.3.3',
    title: 'Request-URI with Known but Atypical Scheme',
    wanted: 416,
    alsoRight: [404],
  },
  {
    set: 'rfc4475',
    name: 'unksm2',
    section: '3.3.4',
    title: 'Unknown URI Schemes in Header Fields',
    wanted: 'forward',
    alsoRight: [400],
  },
  { set: 'rfc4475', name: 'bext01', section: '3.3.5', title: 'Proxy-Require and Require', wanted: 420 },
  { set: 'rfc4475', name: 'invut', section: '3.3.6', title: 'Unknown Content-Type', wanted: 'forward' },
  { set: 'rfc4475', name: 'regaut01', section: '3.3.7', title: 'Unknown Authorization Scheme', wanted: 'forward' },
  {
    set: 'rfc4475',
    name: 'multi01',
    section: '3.3.8',
    title: 'Multiple Values in Single Value Required Fields',
    wanted: 400,
  },
  {
    set: 'rfc4475',
    name: 'mcl01',
    section: '3.3.9',
    title: 'Multiple Content-Length Values',
    wanted: 400,
    onStream: ['silence'],
  },
  { set: 'rfc4475', name: 'bcast', section: '3.3.10', title: '200 OK Response with Broadcast Via', wanted: 'silence' },
  { set: 'rfc4475', name: 'zeromf', section: '3.3.11', title: 'Max-Forwards of Zero', wanted: 483, alsoRight: [200] },
  {
    set: 'rfc4475',
    name: 'cparam01',
    section: '3.3.12',
    title: 'REGISTER with a Contact Header Parameter',
    wanted: 'forward',
  },
  { set: 'rfc4475', name: 'cparam02', section: '3.3.13', title: 'REGISTER with a URL Parameter', wanted: 'forward' },
  {
    set: 'rfc4475',
    name: 'regescrt',
    section: '3.3.14',
    title: 'REGISTER with a URL Escaped Header',
    wanted: 'forward',
    alsoRight: [400],
  },
  { set: 'rfc4475', name: 'sdp01', section: '3.3.15', title: 'Unacceptable Accept Offering', wanted: 'forward' },
  {
    set: 'rfc4475',
    name: 'inv2543',
    section: '3.4.1',
    title: 'INVITE with RFC 2543 Syntax',
    wanted: 'forward',
    onStream: [400],
  },
  {
    set: 'rfc4475',
    name: 'test',
    section: '-',
    title: '(in the archive, referenced by no section)',
    wanted: 400,
    alsoRight: ['silence'],
  },
  {
    set: 'rfc4475',
    name: 'baddn-terminated',
    section: '3.1.2.15',
    title: 'Non-token Characters in Display Name (with the final CRLF)',
    wanted: 400,
  },
  {
    set: 'rfc5118',
    name: 'ipv6-good',
    section: '4.1',
    title: 'Valid SIP Message with an IPv6 Reference',
    wanted: 'forward',
  },
  {
    set: 'rfc5118',
    name: 'ipv6-bad',
    section: '4.2',
    title: 'Invalid SIP Message with an IPv6 Reference',
    wanted: 400,
  },
  { set: 'rfc5118', name: 'port-ambiguous', section: '4.3', title: 'Port Ambiguous in a SIP URI', wanted: 'forward' },
  {
    set: 'rfc5118',
    name: 'port-unambiguous',
    section: '4.4',
    title: 'Port Unambiguous in a SIP URI',
    wanted: 'forward',
  },
  {
    set: 'rfc5118',
    name: 'via-received-param-with-delim',
    section: '4.5',
    title: 'IPv6 Reference Delimiters in Via Header',
    wanted: 'forward',
    isForeign: true,
  },
  {
    set: 'rfc5118',
    name: 'via-received-param-no-delim',
    section: '4.5',
    title: 'IPv6 Reference Delimiters in Via Header',
    wanted: 'forward',
  },
  {
    set: 'rfc5118',
    name: 'ipv6-in-sdp',
    section: '4.6',
    title: 'SIP Request with IPv6 Addresses in SDP Body',
    wanted: 'forward',
  },
  {
    set: 'rfc5118',
    name: 'mult-ip-in-header',
    section: '4.7',
    title: 'Multiple IP Addresses in SIP Headers',
    wanted: 'forward',
    isForeign: true,
  },
  { set: 'rfc5118', name: 'mult-ip-in-sdp', section: '4.8', title: 'Multiple IP Addresses in SDP', wanted: 'forward' },
  { set: 'rfc5118', name: 'ipv4-mapped-ipv6', section: '4.9', title: 'IPv4-Mapped IPv6 Addresses', wanted: 'forward' },
  {
    set: 'rfc5118',
    name: 'ipv6-bug-abnf-3-colons',
    section: '4.10',
    title: 'IPv6 Reference Bug in RFC 3261 ABNF',
    wanted: 'forward',
    alsoRight: [400],
  },
  {
    set: 'rfc5118',
    name: 'ipv6-correct-abnf-2-colons',
    section: '4.10',
    title: 'IPv6 Reference Bug in RFC 3261 ABNF',
    wanted: 'forward',
  },
]
