import { defaultTimers, startNonInviteClient, stepNonInviteClient } from '@siplb/sip'
import type { ClientEvent } from '@siplb/sip'
import { describe, expect, it } from 'vitest'
import { answer, invite } from '../messages.ts'
import { run } from './run.ts'

const bye = invite({ start: 'BYE sip:bob@example.com SIP/2.0', CSeq: '2 BYE' })
const timer = (name: 'E' | 'F' | 'K'): ClientEvent => ({ kind: 'timer', timer: name })
const response = (status: number): ClientEvent => ({ kind: 'response', response: answer(status, '2 BYE') })
const failure: ClientEvent = { kind: 'transport-error' }

const start = (isReliable = false) => startNonInviteClient(bye, isReliable, defaultTimers)
const unreliable = (...events: ClientEvent[]): string[] => run(start(), stepNonInviteClient, events).slice(1)

describe('a BYE we sent', () => {
  it('goes out with timers E and F, on a reliable transport with F alone', () => {
    expect(run(start(), stepNonInviteClient, [])).toEqual(['trying send:BYE set:E=500 set:F=32000'])
    expect(run(start(true), stepNonInviteClient, [])).toEqual(['trying send:BYE set:F=32000'])
  })

  it.each<[string, ClientEvent[], string[]]>([
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
    expect(run(start(true), stepNonInviteClient, [response(404)]).slice(1)).toEqual([
      'terminated clear:F tell:404 ended',
    ])
  })

  it('says whether it was sent again (Karn)', () => {
    const [tx] = start()
    expect([tx.retransmitted, stepNonInviteClient(tx, timer('E'))[0].retransmitted]).toEqual([false, true])
  })
})
