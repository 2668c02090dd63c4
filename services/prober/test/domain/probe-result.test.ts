import { scan, type SipResponse } from '@siplb/sip'
import { describe, expect, it } from 'vitest'
import * as results from '../../src/domain/probe-result.ts'
import { isAnswerTo, onDeadline, onRefusal, onUnconnected, type SentProbe } from '../../src/domain/probe-result.ts'

const probe: SentProbe = {
  method: 'OPTIONS',
  branch: 'z9hG4bK1',
  callId: 'c1',
  attempt: 2,
  sentAt: 1000,
  deadlineAt: 1500,
}

const everyCode = ['2xx', '3xx', '4xx', '5xx', '6xx']
const onAnswer = (sent: SentProbe, heard: { status: number; at: number }) => results.onAnswer(sent, heard, everyCode)

function response(changes: { callId?: string; cseq?: string; moreVia?: string } = {}): SipResponse {
  const { callId = 'c1', cseq = '1 OPTIONS', moreVia = '' } = changes
  const text = `SIP/2.0 200 OK
Via: SIP/2.0/UDP 127.0.0.1:5062;branch=z9hG4bK1
${moreVia}From: <sip:siplb@localhost>;tag=a
To: <sip:127.0.0.1>;tag=b
Call-ID: ${callId}
CSeq: ${cseq}
Content-Length: 0

`
  const message = scan(Buffer.from(text.replaceAll('\n', '\r\n')))
  if (message.kind !== 'response') throw new Error(`the test's response is ${message.kind}`)
  return message
}

describe('an answer', () => {
  it('belongs to the probe whose branch, Call-ID and CSeq it has', () => {
    expect(isAnswerTo(probe, response())).toBe(true)
  })

  it.each([
    ['another Call-ID', { callId: 'c2' }],
    ['another CSeq number', { cseq: '2 OPTIONS' }],
    ['another CSeq method', { cseq: '1 INVITE' }],
    ['a Via of somebody else below ours', { moreVia: 'Via: SIP/2.0/UDP 127.0.0.9;branch=z9hG4bK2\n' }],
  ])('with %s belongs to somebody else', (_, changes) => {
    expect(isAnswerTo(probe, response(changes))).toBe(false)
  })

  it.each([200, 302, 404, 483, 503, 603])('of any final status ends the probe as answered: %i', (status) => {
    expect(onAnswer(probe, { status, at: 1020 })).toEqual({
      result: { outcome: 'answered', responseTimeMs: 20, status, method: 'OPTIONS', attempt: 2 },
      isDoubtful: false,
      sentAt: 1000,
      endedAt: 1020,
    })
  })
})

describe('a provisional answer', () => {
  const tried = onAnswer(probe, { status: 100, at: 1003 })

  it('leaves the probe open, and is what the response time is taken from', () => {
    if (!('branch' in tried)) throw new Error('the probe is not open')
    const again = onAnswer(tried, { status: 180, at: 1100 })
    if (!('branch' in again)) throw new Error('the probe is not open')
    expect(onAnswer(again, { status: 503, at: 1200 })).toMatchObject({
      result: { outcome: 'answered', responseTimeMs: 3, status: 503 },
      endedAt: 1200,
    })
  })

  it('is answer enough when no other comes in time', () => {
    if (!('branch' in tried)) throw new Error('the probe is not open')
    expect(onDeadline(tried, 1510).result).toMatchObject({ outcome: 'answered', responseTimeMs: 3, status: 100 })
  })
})

it('is lost at its deadline, without a response time and a status', () => {
  expect(onDeadline(probe, 1507)).toEqual({
    result: { outcome: 'lost', method: 'OPTIONS', attempt: 2 },
    isDoubtful: false,
    sentAt: 1000,
    endedAt: 1507,
  })
})

it('is refused when the network says so', () => {
  expect(onRefusal(probe, 1001).result).toEqual({ outcome: 'refused', method: 'OPTIONS', attempt: 2 })
})

it('is doubtful when it may never have left this host', () => {
  expect(onDeadline({ ...probe, isDoubtful: true }, 1500).isDoubtful).toBe(true)
})

describe('a final answer that does not count as alive', () => {
  it.each([
    [404, ['2xx', 486]],
    [200, [404]],
    [503, ['2xx', '4xx', 500]],
  ])('makes the probe lost, and tells its status: %i of %j', (status, codes) => {
    expect(results.onAnswer(probe, { status, at: 1020 }, codes)).toMatchObject({
      result: { outcome: 'lost', status, method: 'OPTIONS', attempt: 2 },
      endedAt: 1020,
    })
  })

  it.each([
    [404, ['2xx', 404]],
    [486, ['4xx']],
  ])('is none that is in the list: %i of %j', (status, codes) => {
    expect(results.onAnswer(probe, { status, at: 1020 }, codes)).toMatchObject({
      result: { outcome: 'answered', status },
    })
  })

  it('is not the 487 of a canary call: we cancelled it', () => {
    const call = { ...probe, method: 'INVITE' as const }
    expect(results.onAnswer(call, { status: 487, at: 1020 }, ['2xx'])).toMatchObject({
      result: { outcome: 'answered' },
    })
    expect(results.onAnswer(probe, { status: 487, at: 1020 }, ['2xx'])).toMatchObject({ result: { outcome: 'lost' } })
  })
})

it.each([
  ['ECONNREFUSED', 'refused', false],
  ['EHOSTUNREACH', 'refused', false],
  ['ETIMEDOUT', 'lost', false],
  ['SELF_SIGNED_CERT_IN_CHAIN', 'lost', false],
  ['ENETUNREACH', 'refused', true],
  ['EMFILE', 'lost', true],
  ['ENOENT', 'lost', true],
  ['', 'lost', true],
])('a connection that fails with "%s" is a probe %s, doubtful: %s', (code, outcome, isDoubtful) => {
  expect(onUnconnected(probe, code, 1003)).toMatchObject({
    result: { outcome, method: 'OPTIONS', attempt: 2 },
    isDoubtful,
    sentAt: 1000,
    endedAt: 1003,
  })
})
