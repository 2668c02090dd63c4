import { defaultTimers, startInviteClient, stepInviteClient } from '@siplb/sip'
import type { ClientEvent, InviteClient } from '@siplb/sip'
import { describe, expect, it } from 'vitest'
import { answer, invite } from '../messages.ts'
import { run } from './run.ts'

const timer = (name: 'A' | 'B' | 'D' | 'M'): ClientEvent => ({ kind: 'timer', timer: name })
const response = (status: number): ClientEvent => ({ kind: 'response', response: answer(status) })
const failure: ClientEvent = { kind: 'transport-error' }

const start = (isReliable = false) => startInviteClient(invite(), isReliable, defaultTimers)
const unreliable = (...events: ClientEvent[]): string[] => run(start(), stepInviteClient, events).slice(1)
const reliable = (...events: ClientEvent[]): string[] => run(start(true), stepInviteClient, events).slice(1)

describe('an INVITE we sent', () => {
  it('goes out with timers A and B, on a reliable transport with B alone', () => {
    expect(run(start(), stepInviteClient, [])).toEqual(['calling send:INVITE set:A=500 set:B=32000'])
    expect(run(start(true), stepInviteClient, [])).toEqual(['calling send:INVITE set:B=32000'])
  })

  it('is sent again at doubling intervals, without an upper limit', () => {
    expect(unreliable(...Array<ClientEvent>(6).fill(timer('A')))).toEqual(
      [1000, 2000, 4000, 8000, 16000, 32000].map((ms) => `calling send:INVITE set:A=${ms}`),
    )
  })

  it('says whether it was sent again (Karn)', () => {
    const [tx] = start()
    expect(tx.retransmitted).toBe(false)
    expect(stepInviteClient(tx, timer('A'))[0].retransmitted).toBe(true)
  })

  it.each<[string, ClientEvent[], string[]]>([
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
    const after = (event: ClientEvent): InviteClient => stepInviteClient(start()[0], event)[0]
    expect(after(response(200)).bytes).toHaveLength(0)
    expect(after(timer('B')).bytes).toHaveLength(0)
    expect(after(response(180)).bytes).toEqual(invite()) // a CANCEL may have to be built
    expect(after(response(486)).bytes.toString()).toMatch(/^ACK /)
  })

  it('runs on the intervals it is given', () => {
    const timers = { t1Ms: 10, t2Ms: 80, t4Ms: 100, tryingMs: 2 }
    expect(run(startInviteClient(invite(), false, timers), stepInviteClient, [response(486)])).toEqual([
      'calling send:INVITE set:A=10 set:B=640',
      'completed clear:A clear:B send:ACK tell:486 set:D=640',
    ])
  })
})
