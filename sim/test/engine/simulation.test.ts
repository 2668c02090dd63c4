import { expect, test } from 'vitest'
import { seeded } from '../../engine/random.ts'
import { Simulation } from '../../engine/simulation.ts'

test('what is due happens in the order of time, and at equal instants in the order in which it was set', () => {
  const sim = new Simulation()
  const random = seeded(7)
  const happened: { readonly at: number; readonly i: number }[] = []
  for (let i = 0; i < 1000; i++) sim.after(Math.floor(random() * 50), () => happened.push({ at: sim.now, i }))
  sim.runUntil(100)
  expect(new Set(happened.map(({ i }) => i)).size).toBe(1000)
  expect(happened).toEqual(happened.toSorted((a, b) => a.at - b.at || a.i - b.i))
})

test('what is due later waits', () => {
  const sim = new Simulation()
  const ticks: number[] = []
  sim.every(10, () => ticks.push(sim.now), 5)
  sim.runUntil(30)
  expect(ticks).toEqual([5, 15, 25])
  expect(sim.now).toBe(30)
})
