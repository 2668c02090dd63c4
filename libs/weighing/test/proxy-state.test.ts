import { describe, expect, it } from 'vitest'
import { newStanding, step, type Standing, type StandingEvent } from '../src/standing/proxy-state.ts'
import type { Verdict } from '../src/standing/verdict.ts'

const rules = { slowStartMs: 30_000, ejectionBaseMs: 10_000, ejectionMaxMs: 300_000 }
const judged = (verdict: Verdict): StandingEvent => ({ kind: 'judged', verdict })
const alive = (steadyAt = Number.NEGATIVE_INFINITY) => judged({ kind: 'alive', steadyAt })
const failing = judged({ kind: 'failing', cause: '1 probe lost', isAnswering: false })
const doubtful = judged({ kind: 'failing', cause: '2 probes lost, live traffic answers', isAnswering: true })
const none = judged({ kind: 'none' })
const dead = judged({ kind: 'dead', cause: 'gone' })
const ejected: StandingEvent = { kind: 'ejected', cause: 'faults' }
const enabled: StandingEvent = { kind: 'enabled', actor: 'ann' }

const in_ = (health: Standing['health'], more: Partial<Standing> = {}): Standing => ({
  ...newStanding,
  health,
  since: 0,
  ...more,
})
const out = { outUntil: 3000, lastOutAt: 0, flaps: 1 }

describe('the state of a proxy', () => {
  it.each([
    ['unknown', in_('unknown'), none, 'unknown'],
    ['unknown', in_('unknown'), failing, 'unknown'],
    ['unknown, though it answers', in_('unknown'), doubtful, 'suspect'],
    ['unknown', in_('unknown'), alive(), 'up'],
    ['unknown', in_('unknown'), dead, 'down'],
    ['up', in_('up'), none, 'up'],
    ['up', in_('up'), failing, 'suspect'],
    ['up', in_('up'), dead, 'down'],
    ['up', in_('up'), ejected, 'ejected'],
    ['suspect', in_('suspect'), none, 'suspect'],
    ['suspect', in_('suspect'), alive(), 'up'],
    ['suspect', in_('suspect'), dead, 'down'],
    ['down', in_('down', out), none, 'down'],
    ['down', in_('down', out), alive(), 'down'],
    ['down', in_('down', out), alive(4900), 'recovering'],
    ['down, too early', in_('down', { ...out, outUntil: 6000 }), alive(4900), 'down'],
    ['down, with answers of before', in_('down', { ...out, since: 4000 }), alive(3900), 'down'],
    ['recovering', in_('recovering', { growMs: 30_000 }), failing, 'recovering'],
    ['recovering', in_('recovering', { growMs: 30_000 }), dead, 'down'],
    ['recovering, grown', in_('recovering', { growMs: 4000 }), alive(), 'up'],
    ['ejected', in_('ejected', { outUntil: 6000 }), alive(4900), 'ejected'],
    ['ejected, over', in_('ejected', { outUntil: 4000 }), none, 'recovering'],
    ['ejected', in_('ejected', { outUntil: 6000 }), dead, 'down'],
    ['up', in_('up'), enabled, 'recovering'],
  ])('%s %#', (_name, before, event, after) => {
    expect(step(before, event, 5000, rules).health).toBe(after)
  })

  it('changes nothing, not even its instant, while nothing happens', () => {
    const up = in_('up')
    expect(step(up, alive(4000), 5000, rules)).toBe(up)
  })

  it('doubles the time of an ejection, and forgets about it after a good while', () => {
    let now = 0
    let standing = in_('up')
    const durations = [0, 1, 2].map(() => {
      standing = step(standing, ejected, now, rules)
      const ms = standing.outUntil - now
      now = standing.outUntil
      standing = step(standing, none, now, rules)
      return ms
    })
    expect(durations).toEqual([10_000, 20_000, 40_000])
    const later = now + 301_000
    expect(step(standing, ejected, later, rules).outUntil - later).toBe(10_000)
  })

  it('never ejects for longer than the maximum', () => {
    const often = in_('up', { ejections: 30, lastOutAt: 0 })
    expect(step(often, ejected, 1000, rules).outUntil).toBe(301_000)
  })

  it('keeps a flapping proxy down for longer each time, and lets it grow more slowly', () => {
    let now = 0
    let standing = in_('up')
    const seen = [1, 2, 3, 4].map(() => {
      standing = step(standing, dead, now, rules)
      const downMs = standing.outUntil - now
      now = standing.outUntil + 100
      standing = step(standing, alive(now), now, rules)
      return [downMs, standing.growMs]
    })
    expect(seen).toEqual([
      [3000, 30_000],
      [6000, 60_000],
      [12_000, 120_000],
      [24_000, 240_000],
    ])
  })

  it('says how many probes are lost now, since when it was not well', () => {
    const suspect = step(in_('up'), failing, 5000, rules)
    expect(suspect).toMatchObject({ health: 'suspect', since: 5000, cause: '1 probe lost' })
    const later = step(suspect, doubtful, 6000, rules)
    expect(later).toMatchObject({ since: 5000, cause: '2 probes lost, live traffic answers' })
    expect(step(later, doubtful, 7000, rules)).toBe(later)
  })

  it('must be proved when an operator enables who was down, by an answer to anybody', () => {
    const isUnproven = (...events: StandingEvent[]) =>
      events.reduce((standing, event) => step(standing, event, 5000, rules), in_('down', out)).isUnproven
    expect(isUnproven(enabled)).toBe(true)
    expect(isUnproven(enabled, none, failing, enabled)).toBe(true)
    expect(isUnproven(enabled, alive())).toBe(false)
    expect(isUnproven(enabled, doubtful)).toBe(false)
    expect(step(in_('up'), enabled, 5000, rules).isUnproven).toBe(false)
  })

  it('names the operator who enabled it', () => {
    expect(step(in_('up'), enabled, 5000, rules)).toMatchObject({ actor: 'ann', cause: 'enabled by ann' })
  })
})
