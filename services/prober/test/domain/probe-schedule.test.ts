import { describe, expect, it } from 'vitest'
import { afterLoss, afterNews, firstPlan, nextDue, takeDue, type Plan } from '../../src/domain/probe-schedule.ts'
import { seeded } from '../seeded.ts'

const INTERVAL = 1000
const middle = () => 0.5

/** The instants at which attempts come due when looked at every `stepMs`. */
function runFor(first: Plan, from: number, until: number, random: () => number, stepMs = 1) {
  let plan = first
  const sent: { attempt: number; at: number }[] = []
  for (let now = from; now < until; now += stepMs) {
    const due = takeDue(plan, now, random)
    plan = due.plan
    for (const attempt of due.attempts) sent.push({ attempt, at: now })
  }
  return { sent, plan }
}

describe('scheduled probes', () => {
  it('come first within one interval, wherever the proxy has its place and whenever it is taken over', () => {
    const random = seeded(1)
    for (let i = 0; i < 1000; i++) {
      const now = random() * 1e6
      const { nextAt } = firstPlan(random(), INTERVAL, now, random)
      expect(nextAt).toBeGreaterThanOrEqual(now - 0.1 * INTERVAL)
      expect(nextAt).toBeLessThanOrEqual(now + 1.1 * INTERVAL)
    }
  })

  it('keep within 10 % of their slot of the grid, however long it goes on', () => {
    const place = 0.25
    const { sent } = runFor(firstPlan(place, INTERVAL, 0, seeded(2)), 0, 500_000, seeded(3))
    expect(sent).toHaveLength(500)
    sent.forEach(({ at }, slot) => expect(Math.abs(at - (slot + place) * INTERVAL)).toBeLessThanOrEqual(101))
  })

  it('use the whole of the jitter', () => {
    const { sent } = runFor(firstPlan(0.5, INTERVAL, 0, seeded(4)), 0, 500_000, seeded(5))
    const offsets = sent.map(({ at }, slot) => at - (slot + 0.5) * INTERVAL)
    expect(Math.min(...offsets)).toBeLessThan(-90)
    expect(Math.max(...offsets)).toBeGreaterThan(90)
  })

  it('that were missed while the process stood still are left out', () => {
    const { plan } = runFor(firstPlan(0.5, INTERVAL, 0, middle), 0, 1000, middle)
    const { sent } = runFor(plan, 60_000, 62_000, middle)
    expect(sent).toEqual([
      { attempt: 1, at: 60_000 },
      { attempt: 1, at: 60_500 },
      { attempt: 1, at: 61_500 },
    ])
  })
})

it('the next attempt is due when the first of all that are to come is', () => {
  const random = seeded(6)
  let plan = afterLoss(firstPlan(0.5, INTERVAL, 0, random), 1, 100)
  for (let i = 0; i < 20; i++) {
    const at = nextDue(plan)
    expect(takeDue(plan, at - 0.001, random).attempts).toEqual([])
    const due = takeDue(plan, at, random)
    expect(due.attempts).toHaveLength(1)
    plan = due.plan
  }
})

describe('quick repeats', () => {
  const plan = firstPlan(0.5, INTERVAL, 501, middle)

  it('come 100, 200 and 300 ms after a lost scheduled probe', () => {
    const { sent } = runFor(afterLoss(plan, 1, 600), 600, 1400, middle)
    expect(sent).toEqual([
      { attempt: 2, at: 700 },
      { attempt: 3, at: 800 },
      { attempt: 4, at: 900 },
    ])
  })

  it('move no scheduled probe', () => {
    const { sent } = runFor(afterLoss(plan, 1, 1300), 1300, 2600, middle)
    expect(sent.filter(({ attempt }) => attempt === 1)).toEqual([
      { attempt: 1, at: 1500 },
      { attempt: 1, at: 2500 },
    ])
  })

  it('do not follow a lost repeat', () => {
    for (const attempt of [2, 3, 4]) expect(afterLoss(plan, attempt, 600)).toBe(plan)
  })

  it('are not begun anew while they are under way', () => {
    const { plan: underWay } = runFor(afterLoss(plan, 1, 600), 600, 750, middle)
    expect(afterLoss(underWay, 1, 750)).toBe(underWay)
  })

  it('end with the first news of the proxy', () => {
    const { plan: underWay } = runFor(afterLoss(plan, 1, 600), 600, 750, middle)
    expect(runFor(afterNews(underWay), 750, 1400, middle).sent).toEqual([])
  })

  it('that came due together are all sent', () => {
    const { plan: after, attempts } = takeDue(afterLoss(plan, 1, 600), 1400, middle)
    expect(attempts).toEqual([2, 3, 4])
    expect(after.repeats).toEqual([])
  })
})
