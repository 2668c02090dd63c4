import { defaultTimers, lateTryingMs, NonInviteServer, type ServerSink } from '@siplb/sip'
import { describe, expect, it } from 'vitest'
import { onServer, run, type Happening } from './run.ts'

type Event = Happening<NonInviteServer>

const timer =
  (name: 'trying' | 'J'): Event =>
  (tx) =>
    tx.timer(name)
const { respond, request, ack, failure } = onServer

const overUdp = (sink: ServerSink) => new NonInviteServer(false, defaultTimers, sink)
const overTcp = (sink: ServerSink) => new NonInviteServer(true, defaultTimers, sink)
const unreliable = (...events: Event[]): string[] => run(overUdp, events).slice(1)
const reliable = (...events: Event[]): string[] => run(overTcp, events).slice(1)

describe('a BYE we received', () => {
  it('may be answered 100 when Timer E of the client has reached T2 (RFC 4320)', () => {
    expect(run(overUdp, [])).toEqual(['trying set:trying=3500'])
    expect(lateTryingMs({ ...defaultTimers, t1Ms: 1000 })).toBe(3000)
  })

  it.each<[string, Event[], string[]]>([
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
      [respond(200), failure, request],
      ['completed clear:trying send:200 set:J=32000', 'completed transport-failed', 'completed send:200'],
    ],
    ['knows no ACK', [ack], ['trying']],
  ])('%s', (_, events, expected) => {
    expect(unreliable(...events)).toEqual(expected)
  })

  it('may get a 100 at any time on a reliable transport, and is over with its answer (timer J is 0)', () => {
    expect(reliable(respond(100), respond(200))).toEqual([
      'proceeding clear:trying send:100',
      'terminated send:200 ended',
    ])
  })

  it('may be answered by whoever is told that a 100 is due', () => {
    expect(run(overUdp, [timer('trying')], { 'trying-due': respond(100) }).slice(1)).toEqual([
      'proceeding trying>trying-due clear:trying send:100',
    ])
  })

  it('tells of an answer that cannot be sent, and repeats it all the same', () => {
    expect(run(overUdp, [respond(200), request], { 'send:200': failure }).slice(1)).toEqual([
      'completed clear:trying send:200 transport-failed set:J=32000',
      'completed send:200',
    ])
  })
})
