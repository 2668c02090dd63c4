import { encode, type DnsAnswer, type DnsPacket } from 'dns-packet'
import fc from 'fast-check'
import { isIPv4 } from 'node:net'
import { expect, it } from 'vitest'
import type { Question } from '../../src/locating/records.ts'
import { encodeQuestion, readReply } from '../../src/transport/dns-message.ts'

const question: Question = { name: 'px1.example.com', type: 'A' }
const a: DnsAnswer = { name: 'px1.example.com', type: 'A', ttl: 60, data: '192.0.2.1' }
const soa: DnsAnswer = {
  name: 'example.com',
  type: 'SOA',
  ttl: 900,
  data: { mname: 'ns.example.com', rname: 'root.example.com', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 30 },
}

function reply(packet: DnsPacket, about: Question = question): Buffer {
  return encode({ id: 7, type: 'response', questions: [about], ...packet })
}

it('reads addresses with the least of their times', () => {
  const bytes = reply({ answers: [a, { ...a, data: '192.0.2.2', ttl: 30 }] })
  expect(readReply(bytes, 7, question)).toEqual({
    kind: 'records',
    records: [
      { type: 'address', address: '192.0.2.1' },
      { type: 'address', address: '192.0.2.2' },
    ],
    ttlMs: 30_000,
  })
})

it('reads services and pointers', () => {
  const service: Question = { name: '_sip._udp.example.com', type: 'SRV' }
  const data = { priority: 1, weight: 2, port: 5060, target: 'px1.example.com' }
  expect(readReply(reply({ answers: [{ ...service, ttl: 9, data }] }, service), 7, service)).toMatchObject({
    records: [{ type: 'service', ...data }],
  })
  const absent = { priority: 0, weight: 0, port: 0, target: '.' }
  expect(readReply(reply({ answers: [{ ...service, ttl: 9, data: absent }] }, service), 7, service)).toMatchObject({
    records: [{ target: '' }],
  })
  const pointer: Question = { name: 'example.com', type: 'NAPTR' }
  const rules = { order: 1, preference: 2, flags: 'S', services: 'SIP+D2U', regexp: '', replacement: '_sip._udp.a.b' }
  expect(readReply(reply({ answers: [{ ...pointer, ttl: 9, data: rules }] }, pointer), 7, pointer)).toMatchObject({
    records: [{ type: 'pointer', ...rules }],
  })
})

it('follows aliases, and believes them no longer than the youngest allows', () => {
  const alias: DnsAnswer = { name: 'PX1.example.com', type: 'CNAME', ttl: 5, data: 'Host7.example.net' }
  const bytes = reply({ answers: [alias, { ...a, name: 'host7.example.net' }] })
  expect(readReply(bytes, 7, question)).toMatchObject({ kind: 'records', ttlMs: 5000 })
})

it('takes no record for another name, and does not run in circles', () => {
  const foreign = reply({ answers: [{ ...a, name: 'evil.example.com' }] })
  expect(readReply(foreign, 7, question)).toEqual({ kind: 'nothing', code: 'ENODATA' })
  const circle: DnsAnswer = { name: 'px1.example.com', type: 'CNAME', ttl: 5, data: 'px1.example.com' }
  expect(readReply(reply({ answers: [circle] }), 7, question)).toEqual({ kind: 'nothing', code: 'ENODATA' })
})

it('tells a name that is denied from a server in trouble', () => {
  // RCODE 3 and 2 (RFC 1035, 4.1.1)
  expect(readReply(reply({ flags: 3, authorities: [soa] }), 7, question)).toEqual({
    kind: 'nothing',
    code: 'ENOTFOUND',
    ttlMs: 30_000,
  })
  expect(readReply(reply({ flags: 2 }), 7, question)).toEqual({ kind: 'failed', code: 'ESERVFAIL' })
})

it('says that an answer was cut off', () => {
  expect(readReply(reply({ flags: 0x0200 }), 7, question)).toEqual({ kind: 'truncated' })
})

it('counts a time with its first bit set as none (RFC 2181, 8)', () => {
  expect(readReply(reply({ answers: [{ ...a, ttl: 0xffff_ffff }] }), 7, question)).toMatchObject({ ttlMs: 0 })
})

it.each([
  ['another number', reply({ id: 8, answers: [a] })],
  ['another question', reply({ answers: [a] }, { ...question, type: 'AAAA' })],
  ['another name', reply({ answers: [a] }, { ...question, name: 'px2.example.com' })],
  ['no question', encode({ id: 7, type: 'response', answers: [a] })],
  ['a question of its own', encodeQuestion(7, question)],
  ['nothing at all', Buffer.alloc(0)],
])('does not take %s for a reply', (_, bytes) => {
  expect(readReply(bytes, 7, question)).toBeUndefined()
})

it('survives any octets', () => {
  const valid = reply({ answers: [a, { name: 'px1.example.com', type: 'CNAME', ttl: 1, data: 'b.example.com' }, soa] })
  const change = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { maxLength: 12 })
  fc.assert(
    fc.property(change, fc.nat(valid.length), (changes, end) => {
      const bytes = Buffer.from(valid.subarray(0, end))
      for (const [at, octet] of changes) if (at < end) bytes[at] = octet
      for (const text of addressesIn(bytes)) expect(isIPv4(text)).toBe(true)
    }),
    { numRuns: 2000 },
  )
})

function addressesIn(bytes: Buffer): readonly string[] {
  const read = readReply(bytes, 7, question)
  return read?.kind === 'records' ? read.records.map((record) => (record.type === 'address' ? record.address : '')) : []
}
