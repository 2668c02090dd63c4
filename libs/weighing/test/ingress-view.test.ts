import { SketchBuilder } from '@siplb/contracts'
import { describe, expect, it } from 'vitest'
import {
  forgiven,
  heard,
  heardNothing,
  isPresent,
  isStarved,
  newIngressView,
  requestsWithin,
} from '../src/signals/ingress-view.ts'
import { report } from './support.ts'

const rules = { windowMs: 10_000, areTimeoutsOld: false }
const sketch = () => {
  const builder = new SketchBuilder()
  builder.add(3)
  return builder.take()
}

describe('what an ingress tells of a proxy', () => {
  it('replaces the figures of now', () => {
    const first = heard(newIngressView, report('x', 0, {}, { inFlight: 7, dialogs: 3 }), 0, rules)
    expect(heard(first, report('x', 0, {}, { inFlight: 2, dialogs: 1 }), 250, rules)).toMatchObject({
      inFlight: 2,
      dialogs: 1,
    })
    expect(heardNothing(first, 250)).toMatchObject({ inFlight: 0, dialogs: 0 })
  })

  it('is there for two seconds', () => {
    const view = heard(newIngressView, report('x', 0), 1000, rules)
    expect([isPresent(view, 2999), isPresent(view, 3000)]).toEqual([true, false])
  })

  it('counts requests within a time', () => {
    let view = newIngressView
    for (let now = 0; now < 3000; now += 250) view = heard(view, report('x', 2), now, rules)
    expect(requestsWithin(view, 2750, 2000)).toBe(16)
  })

  it('starves when requests go out and nothing comes back for some time', () => {
    const limits = { requests: 5, ms: 500 }
    let view = heard(newIngressView, report('x', 4, { success: 4 }), 0, rules)
    view = heard(view, report('x', 4), 250, rules)
    expect(isStarved(view.unanswered, 750, limits)).toBe(false)
    view = heard(view, report('x', 4), 500, rules)
    expect(isStarved(view.unanswered, 750, limits)).toBe(true)
    expect(isStarved(heard(view, report('x', 4, { cancelled: 1 }), 750, rules).unanswered, 1500, limits)).toBe(false)
  })

  it('starves of samples, though answers come, when all of them came after a retransmission', () => {
    let view = heard(newIngressView, report('x', 5, { success: 5 }), 0, rules)
    view = heard(view, report('x', 5, { success: 5 }), 500, rules)
    expect(isStarved(view.unsampled, 500, { requests: 5, ms: 500 })).toBe(true)
    view = heard(view, report('x', 5, {}, { responseTimes: { INVITE: sketch() } }), 750, rules)
    expect(view.unsampled.requests).toBe(0)
  })

  it('forgets faults, but not figures of now, when the proxy begins anew', () => {
    const view = heard(newIngressView, report('x', 5, { unavailable: 5 }, { dialogs: 4 }), 0, rules)
    expect(forgiven(view)).toMatchObject({ faultsInRow: 0, intervals: [], dialogs: 4 })
  })
})
