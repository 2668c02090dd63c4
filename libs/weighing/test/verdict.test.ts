import { responseTime, type Outcomes, type ResponseTime } from '@siplb/contracts'
import { describe, expect, it } from 'vitest'
import { heard, newIngressView, type IngressView } from '../src/signals/ingress-view.ts'
import { newProbeView, probed, type ProbeView } from '../src/signals/probe-view.ts'
import { verdictOn } from '../src/standing/verdict.ts'
import { report } from './support.ts'

const answered = { responseTimeMs: 3 }
const lost = { outcome: 'lost' } as const
const refused = { outcome: 'refused' } as const

/** A prober's results, the last of them at `endsAt`, 100 ms apart. */
function prober(results: readonly Partial<ResponseTime>[], endsAt = 10_000): ProbeView {
  const at = (i: number) => endsAt - (results.length - 1 - i) * 100
  return results.reduce<ProbeView>(
    (view, one, i) => probed(view, responseTime.parse({ proxy: 'px1', ...one }), at(i)),
    newProbeView,
  )
}

/** An ingress's reports, the last of them at `endsAt`, 250 ms apart. */
function ingress(
  reports: readonly (readonly [requests: number, outcomes: Partial<Outcomes>])[],
  endsAt = 10_000,
): IngressView {
  const at = (i: number) => endsAt - (reports.length - 1 - i) * 250
  const rules = { windowMs: 10_000, areTimeoutsOld: false }
  return reports.reduce<IngressView>(
    (view, [requests, outcomes], i) => heard(view, report('px1', requests, outcomes), at(i), rules),
    newIngressView,
  )
}
const verdict = (probes: ProbeView[], live: IngressView[] = [], now = 10_000) => verdictOn({ probes, live }, now)

const healthy = ingress(Array(8).fill([4, { success: 4 }]))
const silent = ingress(Array(4).fill([2, {}]))
/** One answered request, and then as many as told in one report without answer, 750 ms ago. */
const unanswered = (requests: number) =>
  ingress([
    [1, { success: 1 }],
    [requests, {}],
    [0, {}],
    [0, {}],
    [0, {}],
  ])
const refusing = ingress([
  [2, { success: 2 }],
  [2, { transportError: 2 }],
])

describe('the verdict on a proxy', () => {
  it.each([
    ['nothing was heard', [], [], 'none'],
    ['a probe was answered', [prober([answered])], [], 'alive'],
    ['only real traffic is answered', [], [healthy], 'alive'],
    ['one probe was lost', [prober([answered, lost])], [], 'failing'],
    ['three probes were lost', [prober([lost, lost, lost])], [], 'failing'],
    ['four in a row were lost', [prober([lost, lost, lost, lost])], [], 'dead'],
    ['four were lost, but not in a row', [prober([lost, lost, answered, lost, lost])], [], 'failing'],
    ['a probe was refused', [prober([answered, refused])], [], 'dead'],
    ['four were lost while real traffic is answered', [prober(Array(4).fill(lost))], [healthy], 'failing'],
    ['one was lost and no request is answered', [prober([lost])], [silent], 'dead'],
    ['one was lost and three requests are not answered', [prober([lost])], [unanswered(3)], 'dead'],
    ['one was lost and two requests are not answered', [prober([lost])], [unanswered(2)], 'failing'],
    ['two were lost and two requests are not answered', [prober([lost, lost])], [unanswered(2)], 'dead'],
    ['two were lost and one request is not answered', [prober([lost, lost])], [unanswered(1)], 'failing'],
    ['three were lost and one request is not answered', [prober([lost, lost, lost])], [unanswered(1)], 'dead'],
    ['one was lost and requests cannot be sent', [prober([lost])], [refusing], 'dead'],
    ['no request is answered, says one ingress alone', [prober([answered])], [silent], 'alive'],
    [
      'two probers each lost three',
      [prober([lost, lost, lost]), prober([lost, lost, lost])],
      [ingress([[9, {}]])],
      'dead',
    ],
    [
      'one prober lost four, another had an answer since',
      [prober(Array(4).fill(lost)), prober([answered])],
      [],
      'failing',
    ],
    [
      'one prober was refused, another had an answer since',
      [prober([refused], 9900), prober([answered])],
      [],
      'failing',
    ],
    ['one prober was refused, another had an answer before', [prober([refused]), prober([answered], 9900)], [], 'dead'],
  ])('when %s', (_when, probes, live, kind) => {
    expect(verdict(probes, live).kind).toBe(kind)
  })

  it('does not count samples that the prober itself doubts', () => {
    expect(verdict([prober(Array(6).fill({ ...lost, doubtful: true }))]).kind).toBe('none')
    expect(verdict([prober([answered, { ...refused, doubtful: true }])]).kind).toBe('alive')
  })

  it('knows since when probes are answered steadily', () => {
    expect(verdict([prober([lost, answered])])).toEqual({ kind: 'alive', steadyAt: Number.NEGATIVE_INFINITY })
    expect(verdict([prober([lost, answered, answered])])).toEqual({ kind: 'alive', steadyAt: 10_000 })
  })

  it('says why', () => {
    expect(verdict([prober([refused])])).toEqual({ kind: 'dead', cause: 'nobody listens: the probe was refused' })
    const causeOf = (...evidence: Parameters<typeof verdict>) => {
      const found = verdict(...evidence)
      return 'cause' in found ? found.cause : found.kind
    }
    expect(causeOf([prober([answered, lost])])).toBe('1 probe lost')
    expect(causeOf([prober([lost, lost, lost])], [healthy])).toBe('3 probes lost, live traffic answers')
    expect(causeOf([prober([refused], 9900), prober([answered])])).toBe(
      'the probe was refused, another prober is answered',
    )
  })
})
