import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { costOf, WorkLedger, type Task } from '../../src/domain/work-ledger.ts'

it('the cost of a method is what was learnt, else 1, also for methods that a plain object inherits', () => {
  const costs = { BYE: 0.2 }
  expect(['BYE', 'INVITE', 'constructor', '__proto__'].map((method) => costOf(costs, method))).toEqual([0.2, 1, 1, 1])
  expect(costOf(undefined, 'BYE')).toBe(1)
})

describe('the work ledger', () => {
  it('counts a request as work until its first response, and as in flight until its final one', () => {
    const ledger = new WorkLedger()
    const task = { proxy: 'px1', cost: 1, isInvite: true }
    const seen = () => [ledger.workOf('px1'), ledger.inFlightOf('px1')]
    ledger.begin(task)
    expect(seen()).toEqual([1, 1])
    ledger.answered(task)
    expect(seen()).toEqual([0, 1])
    ledger.end(task)
    expect(seen()).toEqual([0, 0])
  })

  it('counts each request at the cost of its method, and each proxy for itself', () => {
    const ledger = new WorkLedger()
    ledger.begin({ proxy: 'px1', cost: 1, isInvite: true })
    ledger.begin({ proxy: 'px1', cost: 0.2, isInvite: false })
    ledger.begin({ proxy: 'px2', cost: 3, isInvite: true })
    expect(ledger.workOf('px1')).toBeCloseTo(1.2)
    expect([ledger.workOf('px2'), ledger.workOf('px3'), ledger.inFlightOf('px3')]).toEqual([3, 0, 0])
    expect([...ledger.proxies]).toEqual(['px1', 'px2'])
  })

  it('counts what was answered too fast as work for as long as it is held', () => {
    const ledger = new WorkLedger()
    const task = { proxy: 'px1', cost: 2, isInvite: true }
    ledger.begin(task)
    ledger.end(task)
    ledger.hold(task, 100)
    ledger.release(99)
    expect([ledger.workOf('px1'), ledger.inFlightOf('px1')]).toEqual([2, 0])
    ledger.release(100)
    expect(ledger.workOf('px1')).toBe(0)
  })

  it('gives up at each proxy what was held there until now, the earlier first, and holds anew', () => {
    const ledger = new WorkLedger()
    const works = () => ['px1', 'px2'].map((proxy) => ledger.workOf(proxy))
    const hold = (proxy: string, until: number) => ledger.hold({ proxy, cost: 1, isInvite: true }, until)
    hold('px1', 100)
    hold('px1', 300)
    hold('px2', 200)
    expect(works()).toEqual([2, 1])
    ledger.release(100)
    expect(works()).toEqual([1, 1])
    ledger.release(200)
    expect(works()).toEqual([1, 0])
    hold('px2', 400)
    ledger.release(300)
    expect(works()).toEqual([0, 1])
    ledger.release(400)
    expect(works()).toEqual([0, 0])
  })

  it('does not drift, in whatever order tasks are answered and ended, and how often', () => {
    const step = fc.tuple(fc.constantFrom('begin', 'answered', 'end'), fc.nat(7))
    const costs = fc.array(fc.double({ min: 0.01, max: 10, noNaN: true }), { minLength: 8, maxLength: 8 })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), costs, (steps, cost) => {
        const ledger = new WorkLedger()
        const tasks: Task[] = cost.map((one) => ({ proxy: 'px1', cost: one, isInvite: one > 1 }))
        const open = new Set<Task>()
        const unanswered = new Set<Task>()
        const begun = new Set<Task>()
        for (const [what, i] of steps) {
          const task = tasks[i]
          if (task === undefined || (what === 'begin' && begun.has(task))) continue
          if (what === 'begin') {
            ledger.begin(task)
            for (const set of [begun, open, unanswered]) set.add(task)
          } else {
            ledger[what === 'end' ? 'end' : 'answered'](task)
            unanswered.delete(task)
            if (what === 'end') open.delete(task)
          }
        }
        const work = [...unanswered].reduce((sum, task) => sum + task.cost, 0)
        expect(ledger.inFlightOf('px1')).toBe(open.size)
        expect(ledger.workOf('px1')).toBeCloseTo(work, 9)
        const invites = [...unanswered].filter(({ isInvite }) => isInvite).length
        expect(ledger.aheadAt('px1')).toEqual({ invites, others: unanswered.size - invites })
        for (const task of tasks) ledger.end(task)
        expect([ledger.workOf('px1'), ledger.inFlightOf('px1')]).toEqual([0, 0])
      }),
    )
  })
})

describe('a proxy that left the list', () => {
  const task = { proxy: 'px1', cost: 1, isInvite: true }

  it('is kept while something is outstanding or held there, and then forgotten', () => {
    const ledger = new WorkLedger()
    ledger.begin(task)
    expect(ledger.forget('px1')).toBe(false)
    ledger.end(task)
    ledger.hold(task, 100)
    expect(ledger.forget('px1')).toBe(false)
    ledger.release(100)
    expect(ledger.forget('px1')).toBe(true)
    expect([...ledger.proxies]).toEqual([])
  })

  it('leaves nothing to who comes after it, nor to the others, however many there are', () => {
    const ledger = new WorkLedger()
    const tasks = Array.from({ length: 100 }, (_, i): Task => ({ proxy: `px${i}`, cost: i / 10, isInvite: true }))
    for (const one of tasks) ledger.begin(one)
    for (const one of tasks.filter((_, i) => i % 2 === 0)) {
      ledger.end(one)
      expect(ledger.forget(one.proxy)).toBe(true)
    }
    const later = Array.from({ length: 80 }, (_, i): Task => ({ proxy: `new${i}`, cost: 1, isInvite: false }))
    for (const one of later) {
      expect(ledger.aheadAt(one.proxy)).toEqual({ invites: 0, others: 0 })
      ledger.begin(one)
    }
    expect(later.map(({ proxy }) => [ledger.workOf(proxy), ledger.inFlightOf(proxy)])).toEqual(later.map(() => [1, 1]))
    const stayed = tasks.filter((_, i) => i % 2 === 1)
    expect(stayed.map(({ proxy }) => ledger.workOf(proxy))).toEqual(stayed.map(({ cost }) => cost))
  })
})
