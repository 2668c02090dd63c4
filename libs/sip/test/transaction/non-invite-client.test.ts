import { defaultTimers, NonInviteClient, type ClientSink } from '@siplb/sip'
import { describe, expect, it } from 'vitest'
import { answer, invite } from '../messages.ts'
import { after, run, type Happening } from './run.ts'

type Event = Happening<NonInviteClient>

const bye = invite({ start: 'BYE sip:bob@example.com SIP/2.0', CSeq: '2 BYE' })
const timer =
  (name: 'E' | 'F' | 'K'): Event =>
  (tx) =>
    tx.timer(name)
const response =
  (status: number): Event =>
  (tx) =>
    tx.response(answer(status, '2 BYE'))
const failure: Event = (tx) => tx.transportError()

const overUdp = (sink: ClientSink) => new NonInviteClient(bye, false, defaultTimers, sink)
const overTcp = (sink: ClientSink) => new NonInviteClient(bye, true, defaultTimers, sink)
const unreliable = (...events: Event[]): string[] => run(overUdp, events).slice(1)

describe('a BYE we sent', () => {
  it('goes out with timers E and F, on a reliable transport with F alone', () => {
    expect(run(overUdp, [])).toEqual(['trying send:BYE set:E=500 set:F=32000'])
    expect(run(overTcp, [])).toEqual(['trying send:BYE set:F=32000'])
  })

  it.each<[string, Event[], string[]]>([
    [
      'is sent again at doubling intervals up to T2',
      [timer('E'), timer('E'), timer('E'), timer('E')],
      [1000, 2000, 4000, 4000].map((ms) => `trying send:BYE set:E=${ms}`),
    ],
    [
      'is sent again each T2 once there was a provisional response',
      [response(100), timer('E'), timer('E'), timer('F')],
      [
        'proceeding tell:100',
        'proceeding send:BYE set:E=4000',
        'proceeding send:BYE set:E=4000',
        'terminated timeout ended',
      ],
    ],
    ['gives up at timer F', [timer('F')], ['terminated timeout ended']],
    [
      'ends when it cannot be sent',
      [response(100), failure],
      ['proceeding tell:100', 'terminated transport-failed ended'],
    ],
    [
      'is over with its final response, whose copies are absorbed until timer K',
      [response(200), response(200), timer('E'), failure, timer('K'), response(200)],
      [
        'completed clear:E clear:F tell:200 set:K=5000',
        'completed',
        'completed',
        'completed',
        'terminated ended',
        'terminated',
      ],
    ],
  ])('%s', (_, events, expected) => {
    expect(unreliable(...events)).toEqual(expected)
  })

  it('is over at once on a reliable transport (timer K is 0)', () => {
    expect(run(overTcp, [response(404)]).slice(1)).toEqual(['terminated clear:F tell:404 ended'])
  })

  it('says whether it was sent again (Karn)', () => {
    expect([after(overUdp).retransmitted, after(overUdp, timer('E')).retransmitted]).toEqual([false, true])
  })

  it('is in its new state when it tells of a response, which may lead to another one', () => {
    expect(run(overUdp, [response(100), timer('E')], { 'tell:100': timer('E') }).slice(1)).toEqual([
      'proceeding tell:100 send:BYE set:E=4000',
      'proceeding send:BYE set:E=4000',
    ])
    expect(run(overUdp, [response(200)], { 'tell:200': response(200) }).slice(1)).toEqual([
      'completed clear:E clear:F tell:200 set:K=5000',
    ])
  })

  it('is over when it says so: whatever that leads to finds nothing left to do', () => {
    const late: Event = (tx) => [timer('E'), response(200), failure].forEach((happen) => happen(tx))
    expect(run(overUdp, [timer('F')], { timeout: late }).slice(1)).toEqual(['terminated timeout ended'])
    expect(run(overUdp, [failure], { 'transport-failed': late }).slice(1)).toEqual([
      'terminated transport-failed ended',
    ])
  })
})
