import { defaultTimers, InviteServer, type ServerSink } from '@siplb/sip'
import { describe, expect, it } from 'vitest'
import { onServer, run, type Happening } from './run.ts'

type Event = Happening<InviteServer>

const timer =
  (name: 'trying' | 'G' | 'H' | 'I' | 'L'): Event =>
  (tx) =>
    tx.timer(name)
const { respond, request, ack, failure } = onServer

const overUdp = (sink: ServerSink) => new InviteServer(false, defaultTimers, sink)
const overTcp = (sink: ServerSink) => new InviteServer(true, defaultTimers, sink)
const unreliable = (...events: Event[]): string[] => run(overUdp, events).slice(1)
const reliable = (...events: Event[]): string[] => run(overTcp, events).slice(1)

describe('an INVITE we received', () => {
  it.each<[string, Event[], string[]]>([
    [
      'asks for a 100 when nothing was sent for 100 ms, and absorbs copies until then',
      [request, timer('trying'), respond(100), request],
      ['proceeding', 'proceeding trying-due', 'proceeding clear:trying send:100', 'proceeding send:100'],
    ],
    [
      'asks for no 100 when something was sent',
      [respond(180), timer('trying'), respond(183), request],
      ['proceeding clear:trying send:180', 'proceeding', 'proceeding send:183', 'proceeding send:183'],
    ],
    [
      'that is refused repeats the refusal until the ACK, then absorbs ACKs until timer I',
      [
        respond(486),
        request,
        timer('G'),
        timer('G'),
        timer('G'),
        timer('G'),
        ack,
        ack,
        request,
        timer('G'),
        timer('I'),
        ack,
      ],
      [
        'completed clear:trying send:486 set:G=500 set:H=32000',
        'completed send:486',
        'completed send:486 set:G=1000',
        'completed send:486 set:G=2000',
        'completed send:486 set:G=4000',
        'completed send:486 set:G=4000',
        'confirmed clear:G clear:H set:I=5000',
        'confirmed',
        'confirmed',
        'confirmed',
        'terminated ended',
        'terminated',
      ],
    ],
    [
      'that is refused and never acknowledged ends at timer H',
      [respond(503), timer('H')],
      ['completed clear:trying send:503 set:G=500 set:H=32000', 'terminated ended'],
    ],
    [
      'that is refused keeps to its first final response',
      [respond(486), respond(200), respond(603)],
      ['completed clear:trying send:486 set:G=500 set:H=32000', 'completed', 'completed'],
    ],
    [
      'that is accepted passes every 2xx and every ACK, absorbs copies, and ends at timer L',
      [respond(200), request, respond(200), ack, respond(486), respond(180), timer('L'), respond(200)],
      [
        'accepted clear:trying send:200 set:L=32000',
        'accepted',
        'accepted send:200',
        'accepted ack-received',
        'accepted',
        'accepted',
        'terminated ended',
        'terminated',
      ],
    ],
    [
      'tells of failures to send and stays (RFC 6026)',
      [failure, respond(486), failure, ack, failure],
      [
        'proceeding transport-failed',
        'completed clear:trying send:486 set:G=500 set:H=32000',
        'completed transport-failed',
        'confirmed clear:G clear:H set:I=5000',
        'confirmed transport-failed',
      ],
    ],
    ['takes no ACK before it answered', [ack], ['proceeding']],
  ])('%s', (_, events, expected) => {
    expect(unreliable(...events)).toEqual(expected)
  })

  it('repeats nothing on a reliable transport and is over with the ACK (timer I is 0)', () => {
    expect(reliable(respond(486), ack)).toEqual([
      'completed clear:trying send:486 set:H=32000',
      'terminated clear:H ended',
    ])
  })

  it('starts with the timer for the 100', () => {
    expect(run(overUdp, [])).toEqual(['proceeding set:trying=100'])
  })

  it('may be answered by whoever is told that a 100 is due', () => {
    expect(run(overUdp, [timer('trying')], { 'trying-due': respond(100) }).slice(1)).toEqual([
      'proceeding trying-due clear:trying send:100',
    ])
  })

  it('tells of a refusal that cannot be sent, and repeats it all the same', () => {
    expect(run(overUdp, [respond(486), timer('G')], { 'send:486': failure }).slice(1)).toEqual([
      'completed clear:trying send:486 transport-failed set:G=500 set:H=32000',
      'completed send:486 set:G=1000',
    ])
  })
})
