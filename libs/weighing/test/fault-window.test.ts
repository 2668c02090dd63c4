import type { Outcomes } from '@siplb/contracts'
import { describe, expect, it } from 'vitest'
import { faultRate, heldRate, holdRate } from '../src/signals/fault-window.ts'
import { heard, newIngressView, type IngressView } from '../src/signals/ingress-view.ts'
import { report } from './support.ts'

const rules = { windowMs: 10_000, minRequests: 20 }

/** One report every 250 ms. */
function viewOf(...ends: Partial<Outcomes>[]): IngressView {
  return ends.reduce<IngressView>(
    (view, outcomes, i) =>
      heard(view, report('px1', 1, outcomes), i * 250, { windowMs: 10_000, areTimeoutsOld: false }),
    newIngressView,
  )
}
const repeat = (times: number, outcomes: Partial<Outcomes>) => Array<Partial<Outcomes>>(times).fill(outcomes)

describe('the fault rate of a proxy', () => {
  it.each(['unavailable', 'serverError', 'timeout', 'transportError'] as const)('counts %s as a fault', (outcome) => {
    const view = viewOf(...repeat(10, { [outcome]: 1, success: 3 }))
    expect(faultRate([view], 0, 2500, rules)).toEqual({ rate: 0.25, requests: 40, isBelieved: true })
  })

  it.each(['success', 'redirection', 'refusal', 'cancelled'] as const)('does not count %s', (outcome) => {
    expect(faultRate([viewOf(...repeat(10, { [outcome]: 4 }))], 0, 2500, rules).rate).toBe(0)
  })

  it('is not believed on few requests', () => {
    const view = viewOf({ success: 2 }, { unavailable: 5 }, { success: 1 })
    expect(faultRate([view], 0, 500, rules)).toMatchObject({ rate: 5 / 8, isBelieved: false })
  })

  it('is believed on eight in a row with nothing that ended well', () => {
    expect(faultRate([viewOf({ success: 9 }, { unavailable: 7 })], 0, 500, rules).isBelieved).toBe(false)
    const eight = viewOf({ success: 9 }, { unavailable: 4 }, { unavailable: 4 })
    expect(faultRate([eight], 0, 500, rules)).toMatchObject({ rate: 1, isBelieved: true })
  })

  it('does not believe a row at one ingress while another gets on well', () => {
    const failing = viewOf({ transportError: 9 })
    expect(faultRate([failing, viewOf({ success: 2 })], 0, 100, rules).isBelieved).toBe(false)
  })

  it('adds probes that were answered with faults to the row, unless real traffic knows better', () => {
    expect(faultRate([viewOf({ unavailable: 5 })], 3, 100, rules).isBelieved).toBe(true)
    expect(faultRate([], 8, 100, rules)).toMatchObject({ rate: 1, isBelieved: true })
    expect(faultRate([viewOf({ success: 1 })], 8, 5000, rules).isBelieved).toBe(false)
  })

  it('forgets what lies behind the window', () => {
    expect(faultRate([viewOf(...repeat(8, { unavailable: 5, success: 5 }))], 0, 20_000, rules).requests).toBe(0)
  })

  it('does not count timeouts of a time in which the proxy was out', () => {
    const view = heard(newIngressView, report('px1', 0, { timeout: 50 }), 0, { windowMs: 10_000, areTimeoutsOld: true })
    expect(faultRate([view], 0, 100, rules)).toMatchObject({ rate: 0, requests: 0 })
  })

  it('holds what was believed, and lets it fade', () => {
    const held = holdRate({ rate: 0, at: 0 }, { rate: 0.8, requests: 50, isBelieved: true }, 1000)
    expect(holdRate(held, { rate: 0, requests: 3, isBelieved: false }, 5000)).toBe(held)
    expect(heldRate(held, 1000, 10_000)).toBe(0.8)
    expect(heldRate(held, 11_000, 10_000)).toBeCloseTo(0.8 / Math.E, 5)
    expect(holdRate(held, { rate: 0, requests: 30, isBelieved: true }, 5000).rate).toBe(0)
  })
})
