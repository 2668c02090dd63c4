import { describe, expect, it } from 'vitest'
import { healthy, isDoubtful, ticked } from '../../src/domain/self-health.ts'

const PERIOD = 10

describe('a figure', () => {
  it('is believed while the ticks come in time', () => {
    let health = healthy
    for (let now = 0; now < 1000; now += PERIOD) health = ticked(health, now, 4, PERIOD)
    expect(isDoubtful(health, 0, 1000)).toBe(false)
  })

  it('is doubted when the event loop stood still for a good part of it', () => {
    const health = ticked(healthy, 1100, 60, PERIOD)
    expect(isDoubtful(health, 1040, 1090)).toBe(true)
  })

  it('is doubted when the loop may have stood still from the tick before', () => {
    const health = ticked(healthy, 1020, 10, PERIOD)
    expect(isDoubtful(health, 1001, 1012)).toBe(true)
  })

  it('is believed when it was taken before or after the stall', () => {
    const health = ticked(healthy, 1100, 60, PERIOD)
    expect(isDoubtful(health, 900, 1030)).toBe(false)
    expect(isDoubtful(health, 1100, 1300)).toBe(false)
  })

  it('is believed when it is so short that the stall can have added next to nothing', () => {
    const health = ticked(healthy, 1100, 60, PERIOD)
    expect(isDoubtful(health, 1050, 1054)).toBe(false)
  })

  it('is believed when the stall is a small part of it', () => {
    const health = ticked(healthy, 1100, 20, PERIOD)
    expect(isDoubtful(health, 800, 1300)).toBe(false)
    expect(isDoubtful(health, 1000, 1150)).toBe(true)
  })

  it('is doubted when several stalls together are a good part of it', () => {
    let health = ticked(healthy, 1100, 20, PERIOD)
    expect(isDoubtful(health, 1000, 1500)).toBe(false)
    health = ticked(health, 1300, 30, PERIOD)
    expect(isDoubtful(health, 1000, 1500)).toBe(true)
  })
})

it('remembers a stall for the longest probe, and not for ever', () => {
  let health = ticked(healthy, 1000, 50, PERIOD)
  health = ticked(health, 33_000, 0, PERIOD)
  expect(health.stalls).toHaveLength(1)
  health = ticked(health, 60_000, 0, PERIOD)
  expect(health.stalls).toHaveLength(0)
})
