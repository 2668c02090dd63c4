import { defaultTimers, InviteClient, type ClientSink } from '@siplb/sip'
import { describe, expect, it } from 'vitest'
import { answer, invite } from '../messages.ts'
import { after, run, type Happening } from './run.ts'

type Event = Happening<InviteClient>

const timer =
  (name: 'A' | 'B' | 'D' | 'M'): Event =>
  (tx) =>
    tx.timer(name)
const response =
  (status: number): Event =>
  (tx) =>
    tx.response(answer(status))
const failure: Event = (tx) => tx.transportError()

const overUdp = (sink: ClientSink) => new InviteClient(invite(), false, defaultTimers, sink)
const overTcp = (sink: ClientSink) => new InviteClient(invite(), true, defaultTimers, sink)
const unreliable = (...events: Event[]): string[] => run(overUdp, events).slice(1)
const reliable = (...events: Event[]): string[] => run(overTcp, events).slice(1)

describe('an INVITE we sent', () => {
  it('goes out with timers A and B, on a reliable transport with B alone', () => {
    expect(run(overUdp, [])).toEqual(['calling send:INVITE set:A=500 set:B=32000'])
    expect(run(overTcp, [])).toEqual(['calling send:INVITE set:B=32000'])
  })

  it('is sent again at doubling intervals, without an upper limit', () => {
    expect(unreliable(...Array<Event>(6).fill(timer('A')))).toEqual(
      [1000, 2000, 4000, 8000, 16000, 32000].map((ms) => `calling send:INVITE set:A=${ms}`),
    )
  })

  it('keeps the ACK of a refusal in memory of its own, for it is kept for half a minute', () => {
    const { bytes } = after(overUdp, response(486))
    expect(bytes.toString('latin1')).toMatch(/^ACK /)
    expect(bytes.buffer.byteLength).toBe(bytes.length)
  })

  it('says whether it was sent again (Karn)', () => {
    expect(after(overUdp).retransmitted).toBe(false)
    expect(after(overUdp, timer('A')).retransmitted).toBe(true)
  })

  it.each<[string, Event[], string[]]>([
    ['gives up at timer B', [timer('B')], ['terminated timeout ended']],
    ['ends when it cannot be sent', [failure], ['terminated transport-failed ended']],
    [
      'stops being sent at the first provisional response; each goes up',
      [response(100), response(180), timer('A'), timer('B'), failure],
      ['proceeding clear:A clear:B tell:100', 'proceeding tell:180', 'proceeding', 'proceeding', 'proceeding'],
    ],
    [
      'passes 2xx up, each time, until timer M',
      [response(200), response(200), response(486), response(180), failure, timer('M'), response(200)],
      [
        'accepted clear:A clear:B tell:200 set:M=32000',
        'accepted tell:200',
        'accepted',
        'accepted',
        'accepted',
        'terminated ended',
        'terminated',
      ],
    ],
    [
      'acknowledges another final response, and its copies, until timer D',
      [response(180), response(486), response(486), response(503), response(180), timer('D')],
      [
        'proceeding clear:A clear:B tell:180',
        'completed send:ACK tell:486 set:D=32000',
        'completed send:ACK',
        'completed send:ACK',
        'completed',
        'terminated ended',
      ],
    ],
    [
      'passes up a 2xx that comes after a refusal, because the callee waits for its ACK',
      [response(486), response(200)],
      ['completed clear:A clear:B send:ACK tell:486 set:D=32000', 'completed tell:200'],
    ],
    [
      'ends when the ACK cannot be sent',
      [response(486), failure],
      ['completed clear:A clear:B send:ACK tell:486 set:D=32000', 'terminated transport-failed ended'],
    ],
  ])('%s', (_, events, expected) => {
    expect(unreliable(...events)).toEqual(expected)
  })

  it('is over with its ACK on a reliable transport (timer D is 0)', () => {
    expect(reliable(response(486))).toEqual(['terminated clear:B send:ACK tell:486 ended'])
    expect(reliable(response(200))).toEqual(['accepted clear:B tell:200 set:M=32000'])
  })

  it('keeps no octets that it cannot need any more', () => {
    expect(after(overUdp, response(200)).bytes).toHaveLength(0)
    expect(after(overUdp, timer('B')).bytes).toHaveLength(0)
    expect(after(overUdp, response(180)).bytes).toEqual(invite()) // a CANCEL may have to be built
    expect(after(overUdp, response(486)).bytes.toString()).toMatch(/^ACK /)
  })

  it('runs on the intervals it is given', () => {
    const timers = { t1Ms: 10, t2Ms: 80, t4Ms: 100, tryingMs: 2 }
    expect(run((sink) => new InviteClient(invite(), false, timers, sink), [response(486)])).toEqual([
      'calling send:INVITE set:A=10 set:B=640',
      'completed clear:A clear:B send:ACK tell:486 set:D=640',
    ])
  })

  it('is in its new state when it tells of a response, which may lead to another one', () => {
    expect(run(overUdp, [response(180)], { 'tell:180': response(200) }).slice(1)).toEqual([
      'accepted proceeding>clear:A proceeding>clear:B proceeding>tell:180 tell:200 set:M=32000',
    ])
    expect(run(overUdp, [response(200)], { 'tell:200': response(200) }).slice(1)).toEqual([
      'accepted clear:A clear:B tell:200 tell:200 set:M=32000',
    ])
    expect(run(overUdp, [response(486)], { 'tell:486': response(486) }).slice(1)).toEqual([
      'completed clear:A clear:B send:ACK tell:486 send:ACK set:D=32000',
    ])
  })

  it('is over when it says so: whatever that leads to finds nothing left to do', () => {
    const late: Event = (tx) => [timer('A'), response(200), failure].forEach((happen) => happen(tx))
    expect(run(overUdp, [timer('B')], { timeout: late }).slice(1)).toEqual(['terminated timeout ended'])
    expect(run(overUdp, [failure], { 'transport-failed': late }).slice(1)).toEqual([
      'terminated transport-failed ended',
    ])
  })
})
