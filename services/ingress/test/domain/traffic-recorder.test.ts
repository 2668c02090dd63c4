import { quantileMs } from '@siplb/contracts'
import { describe, expect, it } from 'vitest'
import { TrafficRecorder } from '../../src/domain/traffic-recorder.ts'

const nothing = {
  success: 0,
  redirection: 0,
  refusal: 0,
  cancelled: 0,
  unavailable: 0,
  serverError: 0,
  timeout: 0,
  transportError: 0,
}

const nothingFresh = { accepted: 0, failed: 0, failedLater: 0 }

describe('the traffic recorder', () => {
  it('hands out what happened at a proxy, once', () => {
    const recorder = new TrafficRecorder()
    recorder.request('px1')
    recorder.request('px1')
    recorder.outcome('px1', 'success')
    recorder.outcome('px1', 'unavailable')
    recorder.request('px2')
    recorder.began('px1', 'accepted')
    expect(recorder.take('px1')).toEqual({
      requests: 2,
      outcomes: { ...nothing, success: 1, unavailable: 1 },
      fresh: { ...nothingFresh, accepted: 1 },
      responseTimes: {},
    })
    expect(recorder.take('px1')).toEqual({ requests: 0, outcomes: nothing, fresh: nothingFresh, responseTimes: {} })
    expect(recorder.take('px2')).toMatchObject({ requests: 1 })
  })

  it('says zero of a proxy that nothing happened at', () => {
    expect(new TrafficRecorder().take('px9')).toEqual({
      ...{ requests: 0, outcomes: nothing, fresh: nothingFresh, responseTimes: {} },
    })
  })

  it('keeps a sketch of response times for each method, and only for those that had any', () => {
    const recorder = new TrafficRecorder()
    for (const ms of [10, 20, 400]) recorder.responseTime('px1', 'INVITE', ms)
    recorder.responseTime('px1', 'BYE', 5)
    const { INVITE, BYE } = recorder.take('px1').responseTimes
    expect([INVITE?.count, INVITE?.maxMs, BYE?.count]).toEqual([3, 400, 1])
    expect(INVITE === undefined ? undefined : quantileMs(INVITE, 0.5)).toBeCloseTo(20, -1)
    recorder.responseTime('px1', 'BYE', 5)
    expect(Object.keys(recorder.take('px1').responseTimes)).toEqual(['BYE'])
  })

  it('sums up how response times went with what was ahead, of those requests only of which that is told', () => {
    const recorder = new TrafficRecorder()
    recorder.responseTime('px1', 'INVITE', 10, { invites: 0, others: 1 })
    recorder.responseTime('px1', 'INVITE', 30, { invites: 2, others: 1 })
    recorder.responseTime('px1', 'BYE', 5)
    expect(recorder.take('px1').queueing).toEqual({
      INVITE: {
        ...{ samples: 2, ms: 40, ms2: 1000, invites: 2, invites2: 4, others: 2, others2: 2 },
        ...{ invitesOthers: 2, invitesMs: 60, othersMs: 40 },
      },
    })
    expect(recorder.take('px1').queueing).toBeUndefined()
  })

  it('hands out the longest Retry-After, once', () => {
    const recorder = new TrafficRecorder()
    recorder.retryAfter('px1', 5000)
    recorder.retryAfter('px1', 9000)
    recorder.retryAfter('px1', 7000)
    expect(recorder.take('px1').retryAfterMs).toBe(9000)
    expect(recorder.take('px1')).not.toHaveProperty('retryAfterMs')
  })
})
