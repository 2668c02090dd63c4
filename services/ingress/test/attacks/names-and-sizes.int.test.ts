import { describe, expect, it } from 'vitest'
import type { RequestParts } from '../messages.ts'
import { token } from '../phone.ts'
import { attackScene, transports } from './attack-scene.ts'

const long = 'a'.repeat(60_000)

describe.concurrent.each(transports)('by %s', (transport) => {
  it.each<{ name: string; parts: RequestParts }>([
    { name: 'a header name', parts: { headers: [`${long}: 1`] } },
    { name: 'a header value', parts: { headers: [`X: ${long}`] } },
    { name: 'a tag', parts: { from: `<sip:alice@example.com>;tag=${long}` } },
    { name: 'a branch', parts: { via: `SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK${long}` } },
    { name: 'a Request-URI', parts: { uri: `sip:${long}@example.com` } },
    { name: 'a Call-ID', parts: { callId: long } },
    { name: 'a method', parts: { method: long.slice(0, 30_000) } },
    { name: 'a line of 5,000 octets', parts: { headers: [`X-Long: ${'a'.repeat(5_000)}`] } },
    { name: 'two hundred headers', parts: { headers: Array.from({ length: 200 }, (_, i) => `X-${i}: 1`) } },
    { name: 'ten thousand headers', parts: { headers: Array.from({ length: 10_000 }, () => 'X:1') } },
    { name: 'a run of 60,000 spaces', parts: { headers: [`X: a${' '.repeat(60_000)}b`] } },
    {
      name: 'a body of 60,000 octets in a datagram, or of 200,000 in a stream',
      parts: { body: long.repeat(transport === 'UDP' ? 1 : 4) },
    },
    {
      name: 'a thousand Routes',
      parts: { headers: Array.from({ length: 3 }, () => `Route: ${'<sip:x>,'.repeat(400)}<sip:x>`) },
    },
  ])('$name, beyond all bounds, goes no further and is counted', async ({ parts }) => {
    await using s = await attackScene(transport)
    s.attacker.send(s.invite(parts))
    await s.expectAlive()
    await s.expectCounted('siplb_sip_malformed_total', {}, 1)
    s.expectNoneForwarded()
  })

  it.each<{ name: string; status: number; parts: RequestParts }>([
    {
      name: 'a port of 300 digits in the Request-URI',
      status: 400,
      parts: { uri: `sip:bob@example.com:${'5'.repeat(300)}` },
    },
    { name: 'a port beyond 65,535 in the Request-URI', status: 400, parts: { uri: 'sip:bob@example.com:65536' } },
    { name: 'a space before the colon of a name that is none', status: 400, parts: { headers: ['X Y : 1'] } },
    { name: 'a long run of spaces', status: 400, parts: { headers: [`X-Spaces: a${' '.repeat(300)}b`] } },
    { name: 'a Route that is none', status: 400, parts: { headers: ['Route: nonsense'] } },
    { name: 'a Max-Forwards beyond 255', status: 400, parts: { maxForwards: '256' } },
    { name: 'a negative Max-Forwards', status: 400, parts: { maxForwards: '-1' } },
    { name: 'a CSeq beyond 2^31', status: 400, parts: { cseq: 2_147_483_648 } },
    { name: 'a CSeq of three hundred digits', status: 400, parts: { cseq: Infinity } },
    { name: 'a NUL in an option tag', status: 400, parts: { headers: ['Proxy-Require: a\0b'] } },
  ])('$name is refused with $status, and nobody else sees it', async ({ status, parts }) => {
    await using s = await attackScene(transport)
    const text = s
      .invite(parts)
      .toString('latin1')
      .replace('CSeq: Infinity', `CSeq: ${'9'.repeat(300)}`)
    s.attacker.send(Buffer.from(text, 'latin1'))
    await s.attacker.next(status)
    await s.expectAlive()
    s.expectNoneForwarded()
  })

  it.each([
    'SIP/2.0/UDP',
    'SIP/2.0/UDP ;branch=z9hG4bK1',
    `SIP/2.0/UDP 127.0.0.1:${'1'.repeat(300)};branch=z9hG4bK1`,
    'SIP/2.0/UDP 127.0.0.1:0;branch=z9hG4bK1',
    'SIP/2.0/UDP [::1;branch=z9hG4bK1',
  ])('a Via that shows no way back, %s, is dropped', async (via) => {
    await using s = await attackScene(transport)
    s.attacker.send(s.invite({ via }))
    await s.expectAlive()
    await s.expectCounted('siplb_sip_malformed_total', { problem: 'via', answered: 'false' }, 1)
    s.expectNoneForwarded()
  })

  it.each<{ name: string; parts: RequestParts }>([
    {
      name: 'headers named __proto__ and constructor',
      parts: { headers: ['__proto__: 1', 'constructor: 2', 'toString: 3'] },
    },
    { name: 'an empty header', parts: { headers: ['Subject:'] } },
    { name: 'a space before the colon', parts: { headers: ['Subject \t: x'] } },
    { name: 'a NUL in a value', parts: { headers: ['Subject: a\0b'] } },
    { name: 'octets that are no UTF-8', parts: { headers: ['Subject: \xff\xfe\x80'] } },
    { name: 'quotes and commas in display names', parts: { from: '"A, \\" <x>" <sip:alice@example.com>;tag=1' } },
    { name: 'a Call-ID named __proto__', parts: { callId: '__proto__' } },
    { name: 'a tag named constructor', parts: { from: '<sip:alice@example.com>;tag=constructor' } },
  ])('$name only looks odd: it goes on, and its answer comes back', async ({ parts }) => {
    await using s = await attackScene(transport)
    s.attacker.send(s.invite({ callId: token(), ...parts }))
    const asked = await s.px1.next('INVITE')
    for (const line of parts.headers ?? []) expect(asked.lines).toContain(line)
    s.px1.answer(asked, 486)
    await s.attacker.next(486)
  })
})
