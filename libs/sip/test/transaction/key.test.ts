import { cancelTargetKey, clientKey, clientKeyOf, serverKey } from '@siplb/sip'
import { describe, expect, it } from 'vitest'
import { answer, asRequest, invite } from '../messages.ts'

const keyOf = (changes: Record<string, string> = {}): string => serverKey(asRequest(invite(changes)))
const ack = { start: 'ACK sip:bob@example.com SIP/2.0', CSeq: '314159 ACK', To: '<sip:bob@example.com>;tag=ours' }
const cancel = { start: 'CANCEL sip:bob@example.com SIP/2.0', CSeq: '314159 CANCEL' }

describe('a server transaction', () => {
  it('is known by branch, sent-by and method', () => {
    expect(keyOf()).toBe(keyOf({ 'Max-Forwards': '3', 'Call-ID': 'other' }))
    expect(keyOf({ Via: 'SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bKother' })).not.toBe(keyOf())
    expect(keyOf({ Via: 'SIP/2.0/UDP 192.0.2.1:5071;branch=z9hG4bK776asdhds' })).not.toBe(keyOf())
    expect(keyOf({ Via: 'SIP/2.0/UDP 192.0.2.2:5070;branch=z9hG4bK776asdhds' })).not.toBe(keyOf())
    expect(keyOf({ start: 'BYE sip:bob@example.com SIP/2.0', CSeq: '1 BYE' })).not.toBe(keyOf())
  })

  it('takes the ACK as its INVITE, and the CANCEL as one of its own that points to it', () => {
    expect(keyOf(ack)).toBe(keyOf())
    expect(keyOf(cancel)).not.toBe(keyOf())
    expect(cancelTargetKey(asRequest(invite(cancel)))).toBe(keyOf())
  })
})

describe.each([
  'SIP/2.0/UDP 192.0.2.1:5070',
  'SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK',
  'SIP/2.0/UDP 192.0.2.1:5070;branch=7',
])('without a usable branch (%s)', (Via) => {
  const key = keyOf({ Via })

  it('is known by what RFC 2543 compared', () => {
    expect(keyOf({ Via, 'Max-Forwards': '3' })).toBe(key)
    expect(keyOf({ Via, 'Call-ID': 'other' })).not.toBe(key)
    expect(keyOf({ Via, CSeq: '314160 INVITE' })).not.toBe(key)
    expect(keyOf({ Via, From: '<sip:alice@example.com>;tag=other' })).not.toBe(key)
    expect(keyOf({ Via, start: 'INVITE sip:carol@example.com SIP/2.0' })).not.toBe(key)
    expect(keyOf({ Via: `${Via};x=y` })).not.toBe(key)
  })

  it('takes ACK and CANCEL to their INVITE', () => {
    expect(keyOf({ Via, ...ack })).toBe(key)
    expect(cancelTargetKey(asRequest(invite({ Via, ...cancel })))).toBe(key)
  })
})

it('a client transaction is known by our branch and the method in CSeq', () => {
  expect(clientKey(answer(200))).toBe(clientKeyOf('z9hG4bK776asdhds', 'INVITE'))
  expect(clientKey(answer(200, '314159 CANCEL'))).not.toBe(clientKey(answer(200)))
})
