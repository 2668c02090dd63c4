import { buildRequest, buildResponse, scan, type SipResponse } from '@siplb/sip'
import { expect, it } from 'vitest'
import { canaryInvite } from '../../src/domain/canary-messages.ts'
import { answerTimed, isUnderWay, startTimed, tickTimed, type Turn } from '../../src/domain/timed-request.ts'

const timers = { t1Ms: 500, t2Ms: 4000, t4Ms: 5000, tryingMs: 100 }
const local = { transport: 'udp', address: '127.0.0.1', port: 4711 }
const ids = { branch: 'z9hG4bKabc', callId: 'c1', fromTag: 't1' }
const bytes = buildRequest(canaryInvite('sip:10.0.0.11', 'echo', 'sip:siplb@localhost', local, ids))

const start = (): Turn => startTimed(bytes, false, timers, 1000)

function answer(status: number): SipResponse {
  const request = scan(bytes)
  if (request.kind !== 'request') throw new Error('not a request')
  const response = scan(buildResponse(request, { status, toTag: 'x' }))
  if (response.kind !== 'response') throw new Error('not a response')
  return response
}

it('says in each turn what has to be sent, and nothing of the turn before', () => {
  const [begun, sent] = start()
  const [waiting, tooEarly] = tickTimed(begun, 1499)
  const [, again] = tickTimed(waiting, 1500)
  expect([sent, tooEarly, again]).toEqual([[bytes], [], [bytes]])
})

it('keeps its first final status, and what it was before still says so', () => {
  const [begun] = start()
  const [answered] = answerTimed(begun, answer(481), 1100)
  const [repeated] = answerTimed(answered, answer(500), 1200)
  expect([begun, answered, repeated].map(isUnderWay)).toEqual([true, false, false])
  expect([begun, answered, repeated].map(({ status }) => status)).toEqual([undefined, 481, 481])
})

it('is not sent again where somebody took its timers away', () => {
  const [begun] = start()
  const [later, sent] = tickTimed({ ...begun, dueAt: new Map() }, 60_000)
  expect([sent, tickTimed(later, 120_000)[1]]).toEqual([[], []])
})
