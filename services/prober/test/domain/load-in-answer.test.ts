import { scan, type SipResponse } from '@siplb/sip'
import { expect, it } from 'vitest'
import { loadInAnswer } from '../../src/domain/load-in-answer.ts'

function answer(headers: string, body = ''): SipResponse {
  const head = `SIP/2.0 200 OK
Via: SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bK1
From: <sip:siplb@localhost>;tag=a
To: <sip:127.0.0.1>;tag=b
Call-ID: c1
CSeq: 1 OPTIONS
${headers}Content-Length: ${body.length}

`
  const message = scan(Buffer.from(head.replaceAll('\n', '\r\n') + body))
  if (message.kind !== 'response') throw new Error(`the test's response is ${message.kind}`)
  return message
}

it('reads the header by its name, whatever its case', () => {
  const found = loadInAnswer(answer('X-Sip-Load: 0.9\nsip-load : 0.42\n'), 'SIP-Load')
  expect(found).toEqual({ header: { kind: 'load', load: 0.42, details: {} }, body: undefined })
})

it('reads the header that was configured', () => {
  expect(loadInAnswer(answer('X-Load: inuse=3;active=1\n'), 'X-Load').header).toMatchObject({ active: 1 })
})

it('reads a JSON body, also one with a charset', () => {
  const json = 'Content-Type: Application/JSON; charset=utf-8\n'
  expect(loadInAnswer(answer(json, '{"load":0.42}'), 'SIP-Load').body).toMatchObject({ load: 0.42 })
  expect(loadInAnswer(answer('c: application/json\n', '{"load":0.42}'), 'SIP-Load').body).toMatchObject({ load: 0.42 })
})

it('leaves other bodies alone', () => {
  expect(loadInAnswer(answer('Content-Type: application/sdp\n', '{"load":0.42}'), 'SIP-Load').body).toBeUndefined()
})

it('says when there is something that cannot be read', () => {
  const found = loadInAnswer(answer('SIP-Load: high\nContent-Type: application/json\n', 'x'), 'SIP-Load')
  expect(found).toEqual({ header: 'unreadable', body: 'unreadable' })
})
