import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Waiters, type Waiter } from '../../src/shell/waiters.ts'

const waiter = (isAnswered = false): Waiter => ({ isAnswered, place: -1, linkLost: () => {} })

it('waiters come and go in any order, and whoever is there stays', () => {
  const many = Array.from({ length: 20 }, () => waiter())
  const step = fc.record({ which: fc.nat(19), goes: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const [waiters, there] = [new Waiters(), new Set<Waiter>()]
      for (const one of many) one.place = -1
      for (const { which, goes } of steps) {
        const one = many[which] ?? waiter()
        if (goes) {
          waiters.delete(one)
          there.delete(one)
        } else if (!there.has(one)) {
          waiters.add(one)
          there.add(one)
        }
        expect(waiters.size).toBe(there.size)
      }
      expect(new Set(waiters.take())).toEqual(there)
      expect(waiters.size).toBe(0)
    }),
  )
})

it('those that are wanted are taken, and the others wait on', () => {
  const [waiters, answered, silent] = [new Waiters(), waiter(true), waiter()]
  waiters.add(answered)
  waiters.add(silent)
  expect(waiters.take((one) => !one.isAnswered)).toEqual([silent])
  waiters.delete(silent)
  expect(waiters.size).toBe(1)
  waiters.delete(answered)
  expect(waiters.size).toBe(0)
})

it('who waits at one link is not taken for who waits at another', () => {
  const [here, elsewhere, one, other] = [new Waiters(), new Waiters(), waiter(), waiter()]
  here.add(one)
  elsewhere.add(other)
  elsewhere.delete(one)
  expect([here.size, elsewhere.size]).toEqual([1, 1])
})
