import { defaultTimers, lateTryingMs, startNonInviteServer, stepNonInviteServer } from '@siplb/sip'
import type { ServerEvent } from '@siplb/sip'
import { describe, expect, it } from 'vitest'
import { run } from './run.ts'

const timer = (name: 'trying' | 'J'): ServerEvent => ({ kind: 'timer', timer: name })
const respond = (status: number): ServerEvent => ({
  kind: 'respond',
  status,
  bytes: Buffer.from(`SIP/2.0 ${status} X`),
})
const request: ServerEvent = { kind: 'request' }

const start = (isReliable = false) => startNonInviteServer(isReliable, defaultTimers)
const unreliable = (...events: ServerEvent[]): string[] => run(start(), stepNonInviteServer, events).slice(1)
const reliable = (...events: ServerEvent[]): string[] => run(start(true), stepNonInviteServer, events).slice(1)

describe('a BYE we received', () => {
  it('may be answered 100 when Timer E of the client has reached T2 (RFC 4320)', () => {
    expect(run(start(), stepNonInviteServer, [])).toEqual(['trying set:trying=3500'])
    expect(lateTryingMs({ ...defaultTimers, t1Ms: 1000 })).toBe(3000)
  })

  it.each<[string, ServerEvent[], string[]]>([
    [
      'has its copies absorbed, then answered',
      [request, respond(200), request, respond(404), timer('J'), request],
      [
        'trying',
        'completed clear:trying send:200 set:J=32000',
        'completed send:200',
        'completed',
        'terminated ended',
        'terminated',
      ],
    ],
    [
      'gets no provisional response early, and only 100 late',
      [respond(100), respond(180), timer('trying'), respond(180), respond(100), request, respond(200)],
      [
        'trying',
        'trying',
        'trying trying-due',
        'trying',
        'proceeding clear:trying send:100',
        'proceeding send:100',
        'completed send:200 set:J=32000',
      ],
    ],
    [
      'never gets a 408; its copies are absorbed all the same',
      [respond(408), request, timer('J')],
      ['completed clear:trying set:J=32000', 'completed', 'terminated ended'],
    ],
    [
      'stays when an answer could not be sent, so that a copy gets it',
      [respond(200), { kind: 'transport-error' }, request],
      ['completed clear:trying send:200 set:J=32000', 'completed transport-failed', 'completed send:200'],
    ],
    ['knows no ACK', [{ kind: 'ack' }], ['trying']],
  ])('%s', (_, events, expected) => {
    expect(unreliable(...events)).toEqual(expected)
  })

  it('may get a 100 at any time on a reliable transport, and is over with its answer (timer J is 0)', () => {
    expect(reliable(respond(100), respond(200))).toEqual([
      'proceeding clear:trying send:100',
      'terminated send:200 ended',
    ])
  })
})
