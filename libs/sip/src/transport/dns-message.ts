import { RECURSION_DESIRED, decode, encode, type DnsAnswer, type DnsPacket } from 'dns-packet'
import { isIPv4, isIPv6 } from 'node:net'
import type { DnsRecord, Outcome, Question } from '../locating/records.ts'

/** `truncated`: the whole answer is to be had by TCP (RFC 1035, 4.2.1). */
export type Reply = Outcome | { readonly kind: 'truncated' }

export function encodeQuestion(id: number, { name, type }: Question): Buffer {
  return encode({ id, type: 'query', flags: RECURSION_DESIRED, questions: [{ name, type }] })
}

/** Undefined for what is no reply to this question: anybody may send a datagram. */
export function readReply(bytes: Buffer, id: number, question: Question): Reply | undefined {
  const packet = decoded(bytes)
  if (packet === undefined || packet.type !== 'response' || packet.id !== id || !isAbout(packet, question))
    return undefined
  if (packet.flag_tc === true) return { kind: 'truncated' }
  return packet.rcode === 'NOERROR' ? recordsIn(packet, question) : refusalOf(packet)
}

function decoded(bytes: Buffer): DnsPacket | undefined {
  try {
    return decode(bytes)
  } catch {
    return undefined
  }
}

function isAbout({ questions = [] }: DnsPacket, { name, type }: Question): boolean {
  const [asked] = questions
  return questions.length === 1 && asked?.type === type && asked.name.toLowerCase() === name
}

function refusalOf(packet: DnsPacket): Outcome {
  // RFC 2308, 2: the name server denies the name; any other code is its own trouble.
  if (packet.rcode === 'NXDOMAIN') return { kind: 'nothing', code: 'ENOTFOUND', ...deniedFor(packet) }
  return { kind: 'failed', code: `E${packet.rcode ?? 'BADRESP'}` }
}

/** As many aliases are followed. */
const CHAIN_LIMIT = 8

// RFC 1034, 3.6.2: aliases are followed in the same message; all that was used must be young enough.
function recordsIn(packet: DnsPacket, { name, type }: Question): Outcome {
  const { answers = [] } = packet
  let owner = name
  let ttl = Infinity
  for (let hops = 0; hops < CHAIN_LIMIT; hops++) {
    const own = answers.filter((answer) => answer.name.toLowerCase() === owner && answer.class === 'IN')
    const found = own.filter((answer) => answer.type === type)
    const records = found.flatMap((answer) => recordOf(answer) ?? [])
    if (records.length > 0) return { kind: 'records', records, ttlMs: Math.min(ttl, ...found.map(ttlOf)) * 1000 }
    const alias = own.find((answer) => answer.type === 'CNAME')
    if (typeof alias?.data !== 'string') break
    ttl = Math.min(ttl, ttlOf(alias))
    owner = alias.data.toLowerCase()
  }
  return { kind: 'nothing', code: 'ENODATA', ...deniedFor(packet) }
}

// RFC 2181, 8: with its first bit set it counts as zero.
function ttlOf({ ttl = 0 }: DnsAnswer): number {
  return ttl > 0x7fff_ffff || ttl < 0 ? 0 : ttl
}

// RFC 2308, 5: the lesser of the SOA's own time and its MINIMUM field.
function deniedFor({ authorities = [] }: DnsPacket): { ttlMs?: number } {
  const soa = authorities.find(({ type }) => type === 'SOA')
  const minimum = soa === undefined ? undefined : numberIn(soa.data, 'minimum')
  return soa === undefined || minimum === undefined ? {} : { ttlMs: Math.min(ttlOf(soa), minimum) * 1000 }
}

function recordOf({ type, data }: DnsAnswer): DnsRecord | undefined {
  switch (type) {
    case 'A':
      return typeof data === 'string' && isIPv4(data) ? { type: 'address', address: data } : undefined
    case 'AAAA':
      return typeof data === 'string' && isIPv6(data) ? { type: 'address', address: data } : undefined
    case 'SRV':
      return serviceOf(data)
    case 'NAPTR':
      return pointerOf(data)
    default:
      return undefined
  }
}

function serviceOf(data: unknown): DnsRecord | undefined {
  const [priority, weight, port] = [numberIn(data, 'priority'), numberIn(data, 'weight'), numberIn(data, 'port')]
  const target = textIn(data, 'target')
  if (priority === undefined || weight === undefined || port === undefined || target === undefined) return undefined
  return { type: 'service', priority, weight, port, target: target === '.' ? '' : target }
}

function pointerOf(data: unknown): DnsRecord | undefined {
  const [order, preference] = [numberIn(data, 'order'), numberIn(data, 'preference')]
  const [flags, services] = [textIn(data, 'flags'), textIn(data, 'services')]
  const [regexp, replacement] = [textIn(data, 'regexp'), textIn(data, 'replacement')]
  if (order === undefined || preference === undefined || flags === undefined) return undefined
  if (services === undefined || regexp === undefined || replacement === undefined) return undefined
  return { type: 'pointer', order, preference, flags, services, regexp, replacement }
}

function valueIn(data: unknown, field: string): unknown {
  return typeof data === 'object' && data !== null
    ? Object.entries(data).find(([name]) => name === field)?.[1]
    : undefined
}

function numberIn(data: unknown, field: string): number | undefined {
  const value = valueIn(data, field)
  return typeof value === 'number' ? value : undefined
}

function textIn(data: unknown, field: string): string | undefined {
  const value = valueIn(data, field)
  return typeof value === 'string' ? value : undefined
}
